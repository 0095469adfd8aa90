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

   Memfd_Error  : exception;
   Invalid_Name : exception;

   Seal_Exec      : constant unsigned := 16#20#;
   Seal_Immutable : constant unsigned := 16#0e#;

   function memfd_new (Name : char_array; Flags : unsigned) return int;
   pragma Import (C, memfd_new);

   function memfd_seal (Fd : int; Seals : unsigned) return int;
   pragma Import (C, memfd_seal);

   function memfd_get_seals (Fd : int) return int;
   pragma Import (C, memfd_get_seals);

   function memfd_new_sealed
     (Name : char_array;
      Flags : unsigned;
      Data : System.Address;
      Size : size_t) return int;
   pragma Import (C, memfd_new_sealed);

   function memfd_check_seals (Fd : int; Seals : unsigned) return int;
   pragma Import (C, memfd_check_seals);

   function memfd_parse_flags
     (Str : char_array; Flags : out unsigned; Stop : out size_t) return int;
   pragma Import (C, memfd_parse_flags);

   function memfd_parse_seals
     (Str : char_array; Seals : out unsigned; Stop : out size_t) return int;
   pragma Import (C, memfd_parse_seals);

   function memfd_format_seals
     (Seals : unsigned; Buf : out char_array; Size : size_t) return int;
   pragma Import (C, memfd_format_seals);

   function pipe (Fds : System.Address) return int;
   pragma Import (C, pipe);

   function Check (Result : int) return int is
   begin
      if Result < 0 then
         raise Memfd_Error with Errno_Message;
      end if;
      return Result;
   end Check;

   procedure Check (Result : int) is
      Ignored : constant int := Check (Result);
   begin
      null;
   end Check;

   procedure Refuse (Kind : String; Text : String; Stop : size_t) is
      Separators : constant Character_Set :=
        To_Set (",| ") or To_Set (Character_Range'(ASCII.HT, ASCII.CR));
      First      : constant Positive := Text'First + Natural (Stop);
      Next       : constant Natural  :=
        Index (Text (First .. Text'Last) & ',', Separators, First);
   begin
      raise Invalid_Name
        with "invalid " & Kind & ": " & Text (First .. Next - 1);
   end Refuse;

   function Parse_Flags (Text : String) return unsigned is
      Number : unsigned;
      Stop   : size_t;
   begin
      if memfd_parse_flags (To_C (Text), Number, Stop) < 0 then
         Refuse ("flag", Text, Stop);
      end if;
      return Number;
   end Parse_Flags;

   function Parse_Seals (Text : String) return unsigned is
      Number : unsigned;
      Stop   : size_t;
   begin
      if memfd_parse_seals (To_C (Text), Number, Stop) < 0 then
         Refuse ("seal", Text, Stop);
      end if;
      return Number;
   end Parse_Seals;

   function Format_Seals (Seals : unsigned) return String is
      Text : char_array (1 .. 128);
   begin
      Check (memfd_format_seals (Seals, Text, Text'Length));
      return To_Ada (Text);
   end Format_Seals;

   function Create (Name : String; Flags : unsigned := 0) return int is
     (Check (memfd_new (To_C (Name), Flags)));

   function Create_Sealed (Name : String; Data : String) return int is
     (Check (memfd_new_sealed (To_C (Name), 0, Data'Address, Data'Length)));

   procedure Seal (Fd : int; Seals : unsigned) is
   begin
      Check (memfd_seal (Fd, Seals));
   end Seal;

   procedure Check_Seals (Fd : int; Seals : unsigned) is
   begin
      Check (memfd_check_seals (Fd, Seals));
   end Check_Seals;

   procedure Put (Fd : int; Data : String) is
   begin
      Check (int (Write (File_Descriptor (Fd), Data'Address, Data'Length)));
   end Put;

   procedure Close (Fd : int) is
   begin
      Close (File_Descriptor (Fd));
   end Close;

   Buf, Unsealed, Greeting : int;
   Ends                    : array (1 .. 2) of int;
   Text                    : String (1 .. 64);
   Last                    : Natural;
begin
   Buf := Create ("buf", Parse_Flags ("allow-sealing"));
   Put (Buf, "hello");
   Put_Line
     ("wrote:" & File_Length (File_Descriptor (Buf))'Image & " bytes");
   Seal (Buf, Parse_Seals ("seal,immutable"));
   --  Linux 6.3 and later set Seal_Exec by themselves.
   Put_Line
     ("seals: "
      & Format_Seals
          (unsigned (Check (memfd_get_seals (Buf))) and not Seal_Exec));
   Check_Seals (Buf, Seal_Immutable);
   Put_Line ("immutable: yes");

   begin
      Put (Buf, "again");
   exception
      when E : Memfd_Error =>
         Put_Line ("write: " & Exception_Message (E));
   end;
   begin
      Close (Create ("buf", Parse_Flags ("allow-sealing,sparkling")));
   exception
      when E : Invalid_Name =>
         Put_Line ("new: " & Exception_Message (E));
   end;
   begin
      Seal (Buf, Parse_Seals ("write|frozen"));
   exception
      when E : Invalid_Name =>
         Put_Line ("seal: " & Exception_Message (E));
   end;
   Close (Buf);

   Check (pipe (Ends'Address));
   begin
      Check_Seals (Ends (1), Seal_Immutable);
   exception
      when E : Memfd_Error =>
         Put_Line ("pipe: " & Exception_Message (E));
   end;
   Close (Ends (1));
   Close (Ends (2));

   Unsealed := Create ("unsealed");
   begin
      Check_Seals (Unsealed, Seal_Immutable);
   exception
      when E : Memfd_Error =>
         Put_Line ("unsealed: " & Exception_Message (E));
   end;
   Close (Unsealed);

   Greeting := Create_Sealed ("greeting", "hello, world");
   Last := Read (File_Descriptor (Greeting), Text'Address, Text'Length);
   Put_Line ("sealed: " & Text (1 .. Last));
   Close (Greeting);
end Memfd;
