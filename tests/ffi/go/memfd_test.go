// SPDX-License-Identifier: MIT

package memfd_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"memfd"
)

func Example() {
	file, err := memfd.NewSealed("greeting", 0, []byte("hello, world"))
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	if err := memfd.CheckSeals(file, memfd.SealImmutable); err != nil {
		log.Fatal(err)
	}
	text, _ := io.ReadAll(file)
	fmt.Println(string(text))
	// Output: hello, world
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
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

func TestTheWholeInterface(t *testing.T) {
	flags := must(memfd.ParseFlags("exec|allow-sealing"))
	equal(t, flags, memfd.Exec|memfd.AllowSealing)
	file := must(memfd.New("name", flags))
	equal(t, must(file.Stat()).Mode(), 0o777)
	is(t, memfd.Seal(file, must(memfd.ParseSeals("shrink,grow"))), nil)
	equal(t, must(memfd.GetSeals(file)), memfd.SealShrink|memfd.SealGrow)
	is(t, memfd.CheckSeals(file, memfd.SealGrow), nil)
	is(t, memfd.CheckSeals(file, memfd.SealWrite), syscall.EPERM)

	sized := must(memfd.NewSized("name", memfd.CloExec, 5, memfd.SealGrow))
	equal(t, must(sized.Stat()).Size(), 5)
	is(t, memfd.CheckSeals(sized, memfd.SealGrow), nil)

	for _, data := range []string{"a\x00b", ""} {
		sealed := must(memfd.NewSealed("name", 0, []byte(data)))
		is(t, memfd.CheckSeals(sealed, memfd.SealImmutable|memfd.SealSeal), nil)
		for _, max := range []int64{int64(len(data)), math.MaxInt} {
			copied := must(memfd.NewSealedCopy("name", 0, sealed, max))
			equal(t, string(must(io.ReadAll(copied))), data)
		}
	}
	// Beside a pointer, which C must not be given.
	beside := struct {
		pointer *int
		bytes   [1]byte
	}{pointer: new(int)}
	must(memfd.NewSealed("name", 0, beside.bytes[:]))
	seals, err := memfd.GetSeals(must(os.Open("/dev/null")))
	is(t, err, syscall.EINVAL)
	equal(t, seals, 0)
	_, err = memfd.NewSealedCopy("name", 0, sized, 4)
	is(t, err, syscall.EFBIG)
	equal(t, memfd.Seals(0x48).String(), "write,0x40")
}

func TestErrors(t *testing.T) {
	_, err := memfd.ParseFlags("exec|spärkling exec")
	equal(t, err.Error(), "invalid flag: spärkling")
	var invalid *memfd.InvalidError
	_, err = memfd.ParseSeals("write\tfrozen")
	equal(t, errors.As(err, &invalid) && invalid.Word == "frozen", true)
	_, err = memfd.ParseFlags("exec\x00x")
	is(t, err, syscall.EINVAL)
	_, err = memfd.New("a\x00b", 0)
	is(t, err, syscall.EINVAL)
	_, err = memfd.NewSized("name", 0, -1, 0) // as a size_t, it would be EFBIG
	is(t, err, syscall.EINVAL)
	_, err = memfd.NewSealedCopy("name", 0, os.Stdin, -1)
	is(t, err, syscall.EINVAL)

	file := must(memfd.New("name", 0))
	is(t, file.Close(), nil)
	_, err = memfd.GetSeals(file)
	is(t, err, os.ErrClosed)
	_, err = memfd.NewSealedCopy("name", 0, file, 1)
	is(t, err, os.ErrClosed)
}

func TestNothingIsLeftOpenAndEachThreadHasItsOwnErrno(t *testing.T) {
	long := strings.Repeat("x", 250)
	reader, writer := must(os.Open("/proc/self/fd")), must(memfd.New("name", 0))
	defer reader.Close()
	defer writer.Close()
	before := len(must(os.ReadDir("/proc/self/fd")))
	var group sync.WaitGroup
	for _, fail := range []func() (error, error){
		func() (error, error) { _, err := memfd.New(long, 0); return err, syscall.EINVAL },
		func() (error, error) { _, err := memfd.NewSized("", 0, 1, 1<<30); return err, syscall.EINVAL },
		func() (error, error) { _, err := memfd.NewSealedCopy("", 0, reader, 1); return err, syscall.EISDIR },
		func() (error, error) { return memfd.Seal(writer, memfd.SealGrow), syscall.EPERM },
	} {
		group.Add(1)
		go func(fail func() (error, error)) {
			for i := 0; i < 1000; i++ {
				err, expected := fail()
				is(t, err, expected)
			}
			group.Done()
		}(fail)
	}
	group.Wait()
	if after := len(must(os.ReadDir("/proc/self/fd"))); after > before {
		t.Errorf("%d descriptors instead of %d", after, before)
	}
}
