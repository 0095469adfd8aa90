! SPDX-License-Identifier: MIT
! libmemfd from Fortran, with iso_c_binding; errno is read by gfortran's gerror.
module memfd
  use, intrinsic :: iso_c_binding
  implicit none

  ! Flags and seals are unsigned in C; Fortran has only their bits.
  interface
    integer(c_int) function memfd_new(name, flags) bind(c)
      import
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int), value :: flags
    end function

    integer(c_int) function memfd_seal(fd, seals) bind(c)
      import
      integer(c_int), value :: fd, seals
    end function

    integer(c_int) function memfd_get_seals_str(fd, buf, size) bind(c)
      import
      integer(c_int), value :: fd
      character(kind=c_char), intent(out) :: buf(*)
      integer(c_size_t), value :: size
    end function

    integer(c_int) function memfd_check_seals_str(fd, seals) bind(c)
      import
      integer(c_int), value :: fd
      character(kind=c_char), intent(in) :: seals(*)
    end function

    integer(c_int) function memfd_new_sealed_str(name, flags, data, size) &
        bind(c)
      import
      character(kind=c_char), intent(in) :: name(*), flags(*), data(*)
      integer(c_size_t), value :: size
    end function
  end interface

  abstract interface
    integer(c_int) function parse_names(names, number, stop) bind(c)
      import
      character(kind=c_char), intent(in) :: names(*)
      integer(c_int), intent(out) :: number
      integer(c_size_t), intent(out) :: stop
    end function
  end interface

  procedure(parse_names), bind(c) :: memfd_parse_flags, memfd_parse_seals

contains

  ! The number that text names; errmsg, with the word, where it names none.
  subroutine parse(function, kind, text, number, errmsg)
    procedure(parse_names) :: function
    character(*), intent(in) :: kind, text
    integer(c_int), intent(out) :: number
    character(:), allocatable, intent(out) :: errmsg
    character(*), parameter :: separators = ',| ' // achar(9) // achar(10) &
      // achar(11) // achar(12) // achar(13)
    integer(c_size_t) :: stop
    integer :: length

    if (function(text // c_null_char, number, stop) == 0) return
    length = scan(text(stop + 1:) // ',', separators) - 1
    errmsg = 'invalid ' // kind // ': ' // text(stop + 1:stop + length)
  end subroutine
end module

program transcript
  use memfd
  implicit none

  interface
    integer(c_size_t) function libc_write(fd, buf, count) bind(c, name='write')
      import
      integer(c_int), value :: fd
      character(kind=c_char), intent(in) :: buf(*)
      integer(c_size_t), value :: count
    end function

    integer(c_size_t) function libc_read(fd, buf, count) bind(c, name='read')
      import
      integer(c_int), value :: fd
      character(kind=c_char), intent(out) :: buf(*)
      integer(c_size_t), value :: count
    end function

    integer(c_int) function libc_close(fd) bind(c, name='close')
      import
      integer(c_int), value :: fd
    end function
  end interface

  character(*), parameter :: immutable = 'immutable' // c_null_char
  integer(c_int) :: fd, flags, seals, status
  integer(c_size_t) :: count
  character(:), allocatable :: errmsg
  character(128, c_char) :: text

  call parse(memfd_parse_flags, 'flag', 'allow-sealing', flags, errmsg)
  if (allocated(errmsg)) error stop errmsg
  fd = required(memfd_new('buf' // c_null_char, flags))
  count = libc_write(fd, 'hello', 5_c_size_t)
  print '(a, i0, a)', 'wrote: ', count, ' bytes'
  print '(2a)', 'unsealed: ', reason(memfd_check_seals_str(fd, immutable))
  call parse(memfd_parse_seals, 'seal', 'seal,immutable', seals, errmsg)
  if (allocated(errmsg)) error stop errmsg
  status = required(memfd_seal(fd, seals))
  count = required(memfd_get_seals_str(fd, text, len(text, c_size_t)))
  print '(2a)', 'seals: ', text(:count)
  status = required(memfd_check_seals_str(fd, immutable))
  print '(a)', 'immutable: yes'

  print '(2a)', 'write: ', reason(int(libc_write(fd, 'again', 5_c_size_t)))
  call parse(memfd_parse_flags, 'flag', 'allow-sealing,sparkling', flags, errmsg)
  print '(2a)', 'new: ', errmsg
  call parse(memfd_parse_seals, 'seal', 'write|frozen', seals, errmsg)
  print '(2a)', 'seal: ', errmsg
  print '(2a)', 'stdin: ', reason(memfd_check_seals_str(0, immutable))
  status = libc_close(fd)

  fd = required(memfd_new_sealed_str('greeting' // c_null_char, c_null_char, &
    'hello, world', 12_c_size_t))
  count = libc_read(fd, text, len(text, c_size_t))
  print '(2a)', 'sealed: ', text(:count)
  status = libc_close(fd)

contains

  ! The result of a call; where that is -1, the end, with what errno says.
  integer(c_int) function required(result)
    integer(c_int), intent(in) :: result
    character(128) :: errno

    if (result < 0) then
      call gerror(errno)
      error stop trim(errno)
    end if
    required = result
  end function

  ! What errno says about a call that was refused.
  function reason(result) result(text)
    integer(c_int), intent(in) :: result
    character(:), allocatable :: text
    character(128) :: errno

    call gerror(errno)
    if (result >= 0) error stop 'should have been refused'
    text = trim(errno)
  end function
end program
