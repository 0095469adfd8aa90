-- SPDX-License-Identifier: MIT
-- libmemfd from Ada: errno is an exception with its message.

with Ada.Strings.Fixed;  use Ada.Strings.Fixed;
with Ada.Strings.Maps;   use Ada.Strings.Maps;
with Ada.Exceptions;     use Ada.Exceptions;
with Ada.Text_IO;        use Ada.Text_IO;
with GNAT.OS_Lib;        use GNAT.OS_Lib;
with Interfaces.C;       use Interfaces.C;
with System;

procedure Memfd is

   Memfd_Error : exception;

   function memfd_new (Name : char_array; Flags : unsigned) return int;
   pragma Import (C, memfd_new);

   function memfd_seal (Fd : int; Seals : unsigned) return int;
   pragma Import (C, memfd_seal);

   function memfd_get_seals_str
     (Fd : int; Buf : out char_array; Size : size_t) return int;
   pragma Import (C, memfd_get_seals_str);

   function memfd_check_seals_str (Fd : int; Seals : char_array) return int;
   pragma Import (C, memfd_check_seals_str);

   function memfd_new_sealed_str
     (Name, Flags : char_array; Data : System.Address; Size : size_t)
      return int;
   pragma Import (C, memfd_new_sealed_str);

   function memfd_parse_flags
     (Names : char_array; Flags : out unsigned; Stop : out size_t) return int;
   pragma Import (C, memfd_parse_flags);

   function memfd_parse_seals
     (Names : char_array; Seals : out unsigned; Stop : out size_t) return int;
   pragma Import (C, memfd_parse_seals);

   type Parser is access function
     (Names : char_array; Number : out unsigned; Stop : out size_t) return int
   with Convention => C;

   function Check (Result : int) return int is
   begin
      if Result < 0 then
         raise Memfd_Error with Errno_Message;
      end if;
      return Result;
   end Check;

   --  The number that a text names.
   function Parse
     (Function_In_C : Parser; Kind, Text : String) return unsigned
   is
      Separators : constant Character_Set :=
        To_Set (",| ") or To_Set (Character_Range'(ASCII.HT, ASCII.CR));
      Number     : unsigned;
      Stop       : size_t;
      First      : Positive;
   begin
      if Function_In_C (To_C (Text), Number, Stop) < 0 then
         First := Text'First + Natural (Stop);
         raise Memfd_Error
           with "invalid " & Kind & ": "
             & Text (First .. Index (Text & ',', Separators, First) - 1);
      end if;
      return Number;
   end Parse;

   function Create (Name, Flags : String) return int is
     (Check
        (memfd_new
           (To_C (Name), Parse (memfd_parse_flags'Access, "flag", Flags))));

   function Seal (Fd : int; Seals : String) return int is
     (Check
        (memfd_seal (Fd, Parse (memfd_parse_seals'Access, "seal", Seals))));

   function Get_Seals (Fd : int) return String is
      Text   : char_array (1 .. 128);
      Ignore : constant int :=
        Check (memfd_get_seals_str (Fd, Text, Text'Length));
   begin
      return To_Ada (Text);
   end Get_Seals;

   function Check_Seals (Fd : int; Seals : String) return int is
     (Check (memfd_check_seals_str (Fd, To_C (Seals))));

   function Create_Sealed (Name, Data : String) return int is
     (Check
        (memfd_new_sealed_str
           (To_C (Name), To_C (""), Data'Address, Data'Length)));

   function Put (Fd : int; Data : String) return int is
     (Check (int (Write (File_Descriptor (Fd), Data'Address, Data'Length))));

   --  What went wrong, in words.
   function Reason (Action : not null access function return int)
     return String is
   begin
      return "should have been refused:" & Action.all'Image;
   exception
      when E : Memfd_Error =>
         return Exception_Message (E);
   end Reason;

   Buf    : constant int := Create ("buf", "allow-sealing");
   Status : int;

   --  What is refused.
   function Unsealed return int is (Check_Seals (Buf, "immutable"));
   function Again return int is (Put (Buf, "again"));
   function Sparkling return int is (Create ("buf", "allow-sealing,sparkling"));
   function Frozen return int is (Seal (Buf, "write|frozen"));
   function Stdin return int is (Check_Seals (0, "immutable"));

   Greeting : constant int := Create_Sealed ("greeting", "hello, world");
   Text     : String (1 .. 64);
begin
   Put_Line ("wrote:" & Put (Buf, "hello")'Image & " bytes");
   Put_Line ("unsealed: " & Reason (Unsealed'Access));
   Status := Seal (Buf, "seal,immutable");
   Put_Line ("seals: " & Get_Seals (Buf));
   Status := Check_Seals (Buf, "immutable");
   Put_Line ("immutable: yes");
   Put_Line ("write: " & Reason (Again'Access));
   Put_Line ("new: " & Reason (Sparkling'Access));
   Put_Line ("seal: " & Reason (Frozen'Access));
   Put_Line ("stdin: " & Reason (Stdin'Access));
   Close (File_Descriptor (Buf));

   Status :=
     int (Read (File_Descriptor (Greeting), Text'Address, Text'Length));
   Put_Line ("sealed: " & Text (1 .. Natural (Status)));
   Close (File_Descriptor (Greeting));
end Memfd;
