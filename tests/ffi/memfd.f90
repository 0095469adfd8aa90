! SPDX-License-Identifier: MIT
! libmemfd from Fortran, with iso_c_binding; errno is read by gfortran's gerror.
module memfd
  use, intrinsic :: iso_c_binding
  implicit none

  ! Unsigned in C; Fortran has no unsigned integers, only their bits.
  integer(c_int), parameter :: memfd_seal_exec = int(z'20', c_int)
  integer(c_int), parameter :: memfd_seal_immutable = int(z'0e', c_int)

  interface
    function memfd_new(name, flags) bind(c) result(fd)
      import
      character(kind=c_char), intent(in) :: name(*)
      integer(c_int), value :: flags
      integer(c_int) :: fd
    end function

    function memfd_seal(fd, seals) bind(c) result(status)
      import
      integer(c_int), value :: fd, seals
      integer(c_int) :: status
    end function

    function memfd_get_seals(fd) bind(c) result(seals)
      import
      integer(c_int), value :: fd
      integer(c_int) :: seals
    end function

    function memfd_new_sealed(name, flags, data, size) bind(c) result(fd)
      import
      character(kind=c_char), intent(in) :: name(*), data(*)
      integer(c_int), value :: flags
      integer(c_size_t), value :: size
      integer(c_int) :: fd
    end function

    function memfd_check_seals(fd, seals) bind(c) result(status)
      import
      integer(c_int), value :: fd, seals
      integer(c_int) :: status
    end function

    function memfd_format_seals(seals, buf, size) bind(c) result(length)
      import
      integer(c_int), value :: seals
      character(kind=c_char), intent(out) :: buf(*)
      integer(c_size_t), value :: size
      integer(c_int) :: length
    end function
  end interface

  abstract interface
    function parse_names(str, number, end) bind(c) result(status)
      import
      character(kind=c_char), intent(in) :: str(*)
      integer(c_int), intent(out) :: number
      integer(c_size_t), intent(out) :: end
      integer(c_int) :: status
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
    integer(c_size_t) :: end
    integer :: stop

    if (function(text // c_null_char, number, end) == 0) return
    stop = scan(text(end + 1:), separators)
    if (stop == 0) stop = len(text) + 1
    errmsg = 'invalid ' // kind // ': ' // &
      text(end + 1:min(int(end) + stop - 1, len(text)))
  end subroutine

  function format_seals(seals) result(text)
    integer(c_int), intent(in) :: seals
    character(:), allocatable :: text
    character(128, c_char) :: buf
    integer(c_int) :: length

    length = memfd_format_seals(seals, buf, len(buf, c_size_t))
    text = buf(:length)
  end function
end module

program transcript
  use memfd
  implicit none

  interface
    function libc_write(fd, buf, count) bind(c, name='write') result(written)
      import
      integer(c_int), value :: fd
      character(kind=c_char), intent(in) :: buf(*)
      integer(c_size_t), value :: count
      integer(c_size_t) :: written
    end function

    function libc_read(fd, buf, count) bind(c, name='read') result(got)
      import
      integer(c_int), value :: fd
      character(kind=c_char), intent(out) :: buf(*)
      integer(c_size_t), value :: count
      integer(c_size_t) :: got
    end function

    function libc_pipe(fds) bind(c, name='pipe') result(status)
      import
      integer(c_int), intent(out) :: fds(2)
      integer(c_int) :: status
    end function

    function libc_close(fd) bind(c, name='close') result(status)
      import
      integer(c_int), value :: fd
      integer(c_int) :: status
    end function
  end interface

  integer(c_int) :: fd, flags, seals, fds(2), status
  integer(c_size_t) :: count
  character(:), allocatable :: errmsg
  character(64, c_char) :: text

  call parse(memfd_parse_flags, 'flag', 'allow-sealing', flags, errmsg)
  if (allocated(errmsg)) error stop errmsg
  fd = required(memfd_new('buf' // c_null_char, flags))
  count = libc_write(fd, 'hello', 5_c_size_t)
  print '(a, i0, a)', 'wrote: ', count, ' bytes'
  call parse(memfd_parse_seals, 'seal', 'seal,immutable', seals, errmsg)
  if (allocated(errmsg)) error stop errmsg
  status = required(memfd_seal(fd, seals))
  ! Linux 6.3 and later set memfd_seal_exec by themselves.
  seals = iand(required(memfd_get_seals(fd)), not(memfd_seal_exec))
  print '(2a)', 'seals: ', format_seals(seals)
  status = required(memfd_check_seals(fd, memfd_seal_immutable))
  print '(a)', 'immutable: yes'

  print '(2a)', 'write: ', reason(int(libc_write(fd, 'again', 5_c_size_t)))
  call parse(memfd_parse_flags, 'flag', 'allow-sealing,sparkling', flags, errmsg)
  print '(2a)', 'new: ', errmsg
  call parse(memfd_parse_seals, 'seal', 'write|frozen', seals, errmsg)
  print '(2a)', 'seal: ', errmsg
  status = libc_close(fd)

  status = required(libc_pipe(fds))
  print '(2a)', 'pipe: ', reason(memfd_check_seals(fds(1), memfd_seal_immutable))
  status = libc_close(fds(1))
  status = libc_close(fds(2))

  fd = required(memfd_new('unsealed' // c_null_char, 0))
  print '(2a)', 'unsealed: ', reason(memfd_check_seals(fd, memfd_seal_immutable))
  status = libc_close(fd)

  fd = required(memfd_new_sealed('greeting' // c_null_char, 0, &
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
