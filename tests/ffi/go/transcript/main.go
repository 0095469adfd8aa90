// SPDX-License-Identifier: MIT

// The transcript in ../../expected, from Go.
package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"syscall"

	"memfd"
)

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
	buf := must(memfd.New("buf", memfd.AllowSealing))
	fmt.Println("wrote:", must(buf.WriteString("hello")), "bytes")
	if err := memfd.Seal(buf, must(memfd.ParseSeals("seal,immutable"))); err != nil {
		log.Fatal(err)
	}
	// Linux 6.3 and later add SealExec by themselves.
	fmt.Println("seals:", must(memfd.GetSeals(buf))&^memfd.SealExec)
	if memfd.CheckSeals(buf, memfd.SealImmutable) == nil {
		fmt.Println("immutable: yes")
	}
	_, err := buf.WriteString("again")
	fmt.Println("write:", reason(err))
	_, err = memfd.ParseFlags("allow-sealing,sparkling")
	fmt.Println("new:", reason(err))
	_, err = memfd.ParseSeals("write|frozen")
	fmt.Println("seal:", reason(err))

	reader, _, _ := os.Pipe()
	fmt.Println("pipe:", reason(memfd.CheckSeals(reader, memfd.SealImmutable)))
	unsealed := must(memfd.New("unsealed", 0))
	fmt.Println("unsealed:", reason(memfd.CheckSeals(unsealed, memfd.SealImmutable)))
	greeting := must(memfd.NewSealed("greeting", 0, []byte("hello, world")))
	fmt.Printf("sealed: %s\n", must(io.ReadAll(greeting)))
}
