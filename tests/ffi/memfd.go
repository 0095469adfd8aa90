// SPDX-License-Identifier: MIT

// libmemfd from Go, with cgo and pkg-config.
package main

// #cgo pkg-config: libmemfd
// #include <stdlib.h>
// #include <memfd.h>
import "C"

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// InvalidError is a name that libmemfd refuses.
type InvalidError struct{ Kind, Word string }

func (e *InvalidError) Error() string {
	return "invalid " + e.Kind + ": " + e.Word
}

func invalid(kind, text string, end C.size_t) error {
	word := text[end:]
	if i := strings.IndexAny(word, ",| \t\n\v\f\r"); i >= 0 {
		word = word[:i]
	}
	return &InvalidError{kind, word}
}

func parseFlags(text string) (flags C.uint, err error) {
	str := C.CString(text)
	defer C.free(unsafe.Pointer(str))
	var end C.size_t
	if C.memfd_parse_flags(str, &flags, &end) < 0 {
		err = invalid("flag", text, end)
	}
	return
}

func parseSeals(text string) (seals C.uint, err error) {
	str := C.CString(text)
	defer C.free(unsafe.Pointer(str))
	var end C.size_t
	if C.memfd_parse_seals(str, &seals, &end) < 0 {
		err = invalid("seal", text, end)
	}
	return
}

// New makes a memfd; flags as in "allow-sealing,huge-2mb".
func New(name, flags string) (*os.File, error) {
	number, err := parseFlags(flags)
	if err != nil {
		return nil, err
	}
	str := C.CString(name)
	defer C.free(unsafe.Pointer(str))
	fd, err := C.memfd_new(str, number)
	if err != nil {
		return nil, os.NewSyscallError("memfd_new", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// NewSealed makes a memfd that holds data and can never change.
func NewSealed(name string, data []byte) (*os.File, error) {
	str, bytes := C.CString(name), C.CBytes(data)
	defer C.free(unsafe.Pointer(str))
	defer C.free(bytes)
	fd, err := C.memfd_new_sealed(str, 0, bytes, C.size_t(len(data)))
	if err != nil {
		return nil, os.NewSyscallError("memfd_new_sealed", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// Seal adds seals, as in "shrink,grow".
func Seal(f *os.File, seals string) error {
	number, err := parseSeals(seals)
	if err != nil {
		return err
	}
	_, err = C.memfd_seal(C.int(f.Fd()), number)
	return os.NewSyscallError("memfd_seal", err)
}

// CheckSeals returns nil if every one of the seals is set.
func CheckSeals(f *os.File, seals C.uint) error {
	_, err := C.memfd_check_seals(C.int(f.Fd()), seals)
	return os.NewSyscallError("memfd_check_seals", err)
}

// Seals returns the seals that are set.
func Seals(f *os.File) (C.uint, error) {
	seals, err := C.memfd_get_seals(C.int(f.Fd()))
	return C.uint(seals), os.NewSyscallError("memfd_get_seals", err)
}

func formatSeals(seals C.uint) string {
	var text [C.MEMFD_SEALS_STRLEN]C.char
	n := C.memfd_format_seals(seals, &text[0], C.size_t(len(text)))
	return C.GoStringN(&text[0], n)
}

// What went wrong, without the names of the call and the file.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	buf := must(New("buf", "allow-sealing"))
	defer buf.Close()
	n := must(buf.WriteString("hello"))
	fmt.Println("wrote:", n, "bytes")
	if err := Seal(buf, "seal,immutable"); err != nil {
		log.Fatal(err)
	}
	// Linux 6.3 and later set MEMFD_SEAL_EXEC by themselves.
	seals := must(Seals(buf)) &^ C.MEMFD_SEAL_EXEC
	fmt.Println("seals:", formatSeals(seals))
	if err := CheckSeals(buf, C.MEMFD_SEAL_IMMUTABLE); err != nil {
		log.Fatal(err)
	}
	fmt.Println("immutable: yes")

	_, err := buf.WriteString("again")
	fmt.Println("write:", reason(err))
	_, err = New("buf", "allow-sealing,sparkling")
	fmt.Println("new:", reason(err))
	err = Seal(buf, "write|frozen")
	fmt.Println("seal:", reason(err))

	reader, writer, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	err = CheckSeals(reader, C.MEMFD_SEAL_IMMUTABLE)
	fmt.Println("pipe:", reason(err))

	unsealed := must(New("unsealed", ""))
	defer unsealed.Close()
	err = CheckSeals(unsealed, C.MEMFD_SEAL_IMMUTABLE)
	fmt.Println("unsealed:", reason(err))

	greeting := must(NewSealed("greeting", []byte("hello, world")))
	defer greeting.Close()
	fmt.Printf("sealed: %s\n", must(io.ReadAll(greeting)))
}
