// SPDX-License-Identifier: MIT

package memfd_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"memfd"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// reason is what went wrong, without the names of the call and the file.
func reason(err error) string {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}

// is checks which error a call returned.
func is(t *testing.T, err, expected error) {
	t.Helper()
	if !errors.Is(err, expected) {
		t.Errorf("%v instead of %v", err, expected)
	}
}

func equal[T comparable](t *testing.T, value, expected T) {
	t.Helper()
	if value != expected {
		t.Errorf("%v instead of %v", value, expected)
	}
}

func TestTranscript(t *testing.T) {
	var lines strings.Builder
	buf := must(memfd.New("buf", must(memfd.ParseFlags("allow-sealing"))))
	fmt.Fprintln(&lines, "wrote:", must(buf.WriteString("hello")), "bytes")
	fmt.Fprintln(&lines, "unsealed:", reason(memfd.CheckSeals(buf, memfd.SealImmutable)))
	is(t, memfd.Seal(buf, must(memfd.ParseSeals("seal,immutable"))), nil)
	// Linux 6.3 and later add SealExec by themselves.
	fmt.Fprintln(&lines, "seals:", must(memfd.GetSeals(buf))&^memfd.SealExec)
	is(t, memfd.CheckSeals(buf, memfd.SealImmutable), nil)
	fmt.Fprintln(&lines, "immutable: yes")
	_, err := buf.WriteString("again")
	fmt.Fprintln(&lines, "write:", reason(err))
	_, err = memfd.ParseFlags("allow-sealing,sparkling")
	fmt.Fprintln(&lines, "new:", reason(err))
	_, err = memfd.ParseSeals("write|frozen")
	fmt.Fprintln(&lines, "seal:", reason(err))
	fmt.Fprintln(&lines, "stdin:", reason(memfd.CheckSeals(os.Stdin, memfd.SealImmutable)))
	greeting := must(memfd.NewSealed("greeting", 0, []byte("hello, world")))
	fmt.Fprintf(&lines, "sealed: %s\n", must(io.ReadAll(greeting)))

	// Go writes the system's messages in lower case.
	expected := string(must(os.ReadFile("../expected")))
	equal(t, strings.ToLower(lines.String()), strings.ToLower(expected))
}

func TestWhatTheTranscriptLeavesOut(t *testing.T) {
	flags := memfd.AllowSealing | memfd.Exec
	equal(t, must(memfd.ParseFlags("exec|allow-sealing")), flags)
	sized := must(memfd.NewSized("name", flags, 5, memfd.SealGrow))
	info := must(sized.Stat())
	equal(t, info.Mode(), 0o777)
	equal(t, info.Size(), 5)
	is(t, memfd.CheckSeals(sized, memfd.SealGrow), nil)
	_, err := memfd.NewSealedCopy("name", 0, sized, 4)
	is(t, err, syscall.EFBIG)
	for _, data := range []string{"a\x00b", ""} {
		sealed := must(memfd.NewSealed("name", 0, []byte(data)))
		for _, max := range []int64{int64(len(data)), math.MaxInt} {
			copied := must(memfd.NewSealedCopy("name", 0, sealed, max))
			is(t, memfd.CheckSeals(copied, memfd.SealImmutable|memfd.SealSeal), nil)
			equal(t, string(must(io.ReadAll(copied))), data)
		}
	}
	// Beside a pointer, which C must not be given.
	beside := struct {
		pointer *int
		bytes   [1]byte
	}{pointer: new(int)}
	must(memfd.NewSealed("name", 0, beside.bytes[:]))
	equal(t, memfd.Seals(0x48).String(), "write,0x40")
}

func TestErrors(t *testing.T) {
	_, err := memfd.ParseFlags("exec|spärkling exec")
	var invalid *memfd.InvalidError
	equal(t, errors.As(err, &invalid) && invalid.Word == "spärkling", true)
	_, err = memfd.ParseFlags("exec\x00x")
	is(t, err, syscall.EINVAL)
	_, err = memfd.New("a\x00b", 0)
	is(t, err, syscall.EINVAL)
	_, err = memfd.NewSized("name", 0, -1, 0) // as a size_t, it would be EFBIG
	is(t, err, syscall.EINVAL)
	_, err = memfd.NewSealedCopy("name", 0, os.Stdin, -1)
	is(t, err, syscall.EINVAL)
	seals, err := memfd.GetSeals(must(os.Open("/dev/null")))
	is(t, err, syscall.EINVAL)
	equal(t, seals, 0)

	file := must(memfd.New("name", 0))
	is(t, file.Close(), nil)
	_, err = memfd.GetSeals(file)
	is(t, err, os.ErrClosed)
	_, err = memfd.NewSealedCopy("name", 0, file, 1)
	is(t, err, os.ErrClosed)
}

func TestErrorsLeaveNothingOpenAndEachThreadHasItsOwn(t *testing.T) {
	long := strings.Repeat("x", 250)
	reader, writer := must(os.Open("/proc/self/fd")), must(memfd.New("name", 0))
	before := len(must(os.ReadDir("/proc/self/fd")))
	var group sync.WaitGroup
	fail := func(expected error, call func() error) {
		group.Add(1)
		go func() {
			for i := 0; i < 1000; i++ {
				is(t, call(), expected)
			}
			group.Done()
		}()
	}
	fail(syscall.EINVAL, func() error { _, err := memfd.New(long, 0); return err })
	fail(syscall.EINVAL, func() error { _, err := memfd.NewSized("", 0, 1, 1<<30); return err })
	fail(syscall.EISDIR, func() error { _, err := memfd.NewSealedCopy("", 0, reader, 1); return err })
	fail(syscall.EPERM, func() error { return memfd.Seal(writer, memfd.SealGrow) })
	fail(nil, func() error { return must(memfd.New("", 0)).Close() })
	group.Wait()
	if after := len(must(os.ReadDir("/proc/self/fd"))); after > before {
		t.Errorf("%d descriptors instead of %d", after, before)
	}
	reader.Close()
	writer.Close()
}
