(* SPDX-License-Identifier: MIT *)
(* libmemfd from OCaml, with ctypes. *)

open Ctypes

let from = Dl.(dlopen ~filename:"libmemfd.so.1" ~flags:[ RTLD_NOW ])

(* Unix has its descriptors opaque; they are the system's numbers. *)
let fd : Unix.file_descr typ = view int ~read:Obj.magic ~write:Obj.magic

(* With check_errno, a call that leaves errno set raises Unix.Unix_error. *)
let checked name = Foreign.foreign ~from ~check_errno:true name
let create = checked "memfd_new" (string @-> uint32_t @-> returning fd)
let seal = checked "memfd_seal" (fd @-> uint32_t @-> returning int)

let get_seals =
  let get =
    checked "memfd_get_seals_str" (fd @-> ptr char @-> size_t @-> returning int)
  in
  fun file ->
    let text = allocate_n char ~count:128 in
    let length = get file text (Unsigned.Size_t.of_int 128) in
    string_from_ptr text ~length

let check_seals =
  checked "memfd_check_seals_str" (fd @-> string @-> returning int)

let create_sealed =
  checked "memfd_new_sealed_str"
    (string @-> string @-> string @-> size_t @-> returning fd)

(* The number that a text names; Invalid_argument, with the word, if none. *)
let parser kind =
  let parse =
    Foreign.foreign ~from
      (Printf.sprintf "memfd_parse_%ss" kind)
      (string @-> ptr uint32_t @-> ptr size_t @-> returning int)
  in
  fun text ->
    let number = allocate uint32_t Unsigned.UInt32.zero in
    let stop = allocate size_t Unsigned.Size_t.zero in
    if parse text number stop = 0 then !@number
    else
      let start = Unsigned.Size_t.to_int !@stop in
      let rest = String.sub text start (String.length text - start) in
      let word = Scanf.sscanf rest "%[^,| \t\n\011\012\r]" Fun.id in
      invalid_arg (Printf.sprintf "invalid %s: %s" kind word)

let flags = parser "flag"
let seals = parser "seal"

(* What went wrong, in words. *)
let reason action =
  match action () with
  | exception Unix.Unix_error (error, _, _) -> Unix.error_message error
  | exception Invalid_argument text -> text
  | _ -> failwith "should have been refused"

let () =
  let open Printf in
  let buf = create "buf" (flags "allow-sealing") in
  printf "wrote: %d bytes\n" (Unix.write_substring buf "hello" 0 5);
  let is_immutable fd () = check_seals fd "immutable" in
  printf "unsealed: %s\n" (reason (is_immutable buf));
  ignore (seal buf (seals "seal,immutable"));
  printf "seals: %s\n" (get_seals buf);
  ignore (check_seals buf "immutable");
  printf "immutable: yes\n";

  let again () = ignore (Unix.write_substring buf "again" 0 5) in
  printf "write: %s\n" (reason again);
  let sparkling () = ignore (create "buf" (flags "allow-sealing,sparkling")) in
  printf "new: %s\n" (reason sparkling);
  printf "seal: %s\n" (reason (fun () -> seal buf (seals "write|frozen")));
  printf "stdin: %s\n" (reason (is_immutable Unix.stdin));
  Unix.close buf;

  let data = "hello, world" in
  let size = Unsigned.Size_t.of_int (String.length data) in
  let greeting = create_sealed "greeting" "" data size in
  let channel = Unix.in_channel_of_descr greeting in
  printf "sealed: %s\n" (input_line channel);
  close_in channel
