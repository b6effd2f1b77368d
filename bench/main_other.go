//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: the load client needs Linux; run it there, in a virtual machine for example")
	os.Exit(1)
}
