//go:build !linux

package main

import "log"

func main() { log.Fatal("rawepoll needs Linux: it is made of epoll") }
