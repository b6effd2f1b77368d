//go:build !linux

// Command rawepoll needs Linux.
package main

import "log"

func main() { log.Fatal("rawepoll needs Linux") }
