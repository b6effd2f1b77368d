//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "flood: it measures with what Linux offers; run it there, in a virtual machine for example")
	os.Exit(1)
}
