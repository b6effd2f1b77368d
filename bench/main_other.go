//go:build !linux

// Command bench measures wsx against its peers. It needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: the load client needs Linux; run it there, in a virtual machine for example")
	os.Exit(1)
}
