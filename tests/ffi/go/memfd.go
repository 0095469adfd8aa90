// SPDX-License-Identifier: MIT

// Package memfd is libmemfd 1.0.0 for Go: memory files with safe defaults, and
// their seals. Copy this file into a folder of your module. To build it, install
// a C compiler, pkg-config and libmemfd.
//
// An error of the system is an *os.SyscallError with the errno, which the manual
// page of the C function explains. EINVAL is also a null byte in a string, and a
// size that is negative or does not fit size_t. A file that has been closed is
// os.ErrClosed, and a name that is unknown an *InvalidError.
//
//	file, err := memfd.NewSealed("greeting", 0, []byte("hello, world"))
//	if err != nil {
//		return err
//	}
//	defer file.Close()
//	return memfd.CheckSeals(file, memfd.SealImmutable)
package memfd

// #cgo pkg-config: libmemfd
// #include <memfd.h>
import "C"

import (
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// Flags for a new memfd, joined by |; see memfd_new(3).
type Flags uint32

// The flags.
const (
	CloExec, AllowSealing, HugeTLB Flags = C.MEMFD_CLOEXEC, C.MEMFD_ALLOW_SEALING, C.MEMFD_HUGETLB
	NoExecSeal, Exec, Inherit      Flags = C.MEMFD_NOEXEC_SEAL, C.MEMFD_EXEC, C.MEMFD_INHERIT
	Huge64KB, Huge512KB, Huge1MB   Flags = C.MEMFD_HUGE_64KB, C.MEMFD_HUGE_512KB, C.MEMFD_HUGE_1MB
	Huge2MB, Huge8MB, Huge16MB     Flags = C.MEMFD_HUGE_2MB, C.MEMFD_HUGE_8MB, C.MEMFD_HUGE_16MB
	Huge32MB, Huge256MB, Huge512MB Flags = C.MEMFD_HUGE_32MB, C.MEMFD_HUGE_256MB, C.MEMFD_HUGE_512MB
	Huge1GB, Huge2GB, Huge16GB     Flags = C.MEMFD_HUGE_1GB, C.MEMFD_HUGE_2GB, C.MEMFD_HUGE_16GB
)

// Seals of a memfd, joined by |; see memfd_seal(3).
type Seals uint32

// The seals.
const (
	SealSeal, SealShrink, SealGrow Seals = C.MEMFD_SEAL_SEAL, C.MEMFD_SEAL_SHRINK, C.MEMFD_SEAL_GROW
	SealWrite, SealFutureWrite     Seals = C.MEMFD_SEAL_WRITE, C.MEMFD_SEAL_FUTURE_WRITE
	SealExec, SealImmutable        Seals = C.MEMFD_SEAL_EXEC, C.MEMFD_SEAL_IMMUTABLE
)

// InvalidError is the name of a flag or a seal that was refused.
type InvalidError struct{ Kind, Word string }

func (e *InvalidError) Error() string {
	return "invalid " + e.Kind + ": " + e.Word
}

// New creates an empty memfd.
func New(name string, flags Flags) (*os.File, error) {
	return create("memfd_new", name, 0, func(name *C.char, _ C.size_t) (fd C.int, err error) {
		fd, err = C.memfd_new(name, C.uint(flags))
		return
	})
}

// NewSized creates a memfd of size zero bytes, and adds seals.
func NewSized(name string, flags Flags, size int64, seals Seals) (*os.File, error) {
	return create("memfd_new_sized", name, size, func(name *C.char, size C.size_t) (fd C.int, err error) {
		fd, err = C.memfd_new_sized(name, C.uint(flags), size, C.uint(seals))
		return
	})
}

// NewSealed creates a memfd with the bytes of data, which can never change.
func NewSealed(name string, flags Flags, data []byte) (*os.File, error) {
	size := int64(len(data))
	if size == 0 {
		data = []byte{0}
	}
	return create("memfd_new_sealed", name, size, func(name *C.char, size C.size_t) (fd C.int, err error) {
		// Written like this, the pointer lets cgo look at these bytes only.
		fd, err = C.memfd_new_sealed(name, C.uint(flags), unsafe.Pointer(&data[0]), size)
		return
	})
}

// NewSealedCopy creates a memfd with a copy of a file, which can never change.
// More than max bytes are EFBIG: set it if the file comes from somebody else.
// With math.MaxInt there is no limit.
func NewSealedCopy(name string, flags Flags, file syscall.Conn, max int64) (*os.File, error) {
	return create("memfd_new_sealed_copy", name, max, func(name *C.char, max C.size_t) (C.int, error) {
		return with(file, func(fd C.int) (n C.int, err error) {
			n, err = C.memfd_new_sealed_copy(name, C.uint(flags), fd, max)
			return
		})
	})
}

// Seal adds seals: all of them or, on error, none.
func Seal(file syscall.Conn, seals Seals) error {
	_, err := with(file, func(fd C.int) (n C.int, err error) { n, err = C.memfd_seal(fd, C.uint(seals)); return })
	return os.NewSyscallError("memfd_seal", err)
}

// GetSeals returns the seals. To verify a file that you received, use CheckSeals.
func GetSeals(file syscall.Conn) (Seals, error) {
	seals, err := with(file, func(fd C.int) (n C.int, err error) { n, err = C.memfd_get_seals(fd); return })
	return Seals(seals), os.NewSyscallError("memfd_get_seals", err)
}

// CheckSeals returns nil if all the given seals are set; others may be, too.
func CheckSeals(file syscall.Conn, seals Seals) error {
	_, err := with(file, func(fd C.int) (n C.int, err error) { n, err = C.memfd_check_seals(fd, C.uint(seals)); return })
	return os.NewSyscallError("memfd_check_seals", err)
}

// ParseFlags converts names of flags: "allow-sealing,huge-2mb".
func ParseFlags(names string) (flags Flags, err error) {
	err = parse("flag", names, func(names *C.char, stop *C.size_t) C.int {
		return C.memfd_parse_flags(names, (*C.uint)(&flags), stop)
	})
	return
}

// ParseSeals converts names of seals: "shrink,grow". No name is no seal.
func ParseSeals(names string) (seals Seals, err error) {
	err = parse("seal", names, func(names *C.char, stop *C.size_t) C.int {
		return C.memfd_parse_seals(names, (*C.uint)(&seals), stop)
	})
	return
}

// String returns the names of the seals.
func (s Seals) String() string {
	var text [C.MEMFD_SEALS_STRLEN]C.char
	length := C.memfd_format_seals(C.uint(s), &text[0], C.size_t(len(text)))
	return C.GoStringN(&text[0], length)
}

func create(function, name string, size int64, call func(*C.char, C.size_t) (C.int, error)) (*os.File, error) {
	fd := C.int(-1)
	text, err := syscall.BytePtrFromString(name)
	if size < 0 || int64(C.size_t(size)) != size {
		err = syscall.EINVAL
	}
	if err == nil {
		fd, err = call((*C.char)(unsafe.Pointer(text)), C.size_t(size))
	}
	if err != nil {
		return nil, os.NewSyscallError(function, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Unlike Fd, this keeps the file open meanwhile, and non-blocking.
func with(file syscall.Conn, call func(fd C.int) (C.int, error)) (result C.int, err error) {
	conn, err := file.SyscallConn()
	if err == nil && conn.Control(func(fd uintptr) { result, err = call(C.int(fd)) }) != nil {
		err = os.ErrClosed
	}
	if err != nil {
		result = 0 // not -1, which has every seal
	}
	return
}

func parse(kind, names string, call func(*C.char, *C.size_t) C.int) error {
	var stop C.size_t
	text, err := syscall.BytePtrFromString(names)
	if err == nil && call((*C.char)(unsafe.Pointer(text)), &stop) < 0 {
		word := names[stop:]
		if end := strings.IndexAny(word, ",| \t\n\v\f\r"); end >= 0 {
			word = word[:end]
		}
		err = &InvalidError{kind, word}
	}
	return err
}
