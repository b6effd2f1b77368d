//go:build !linux

package wsx

import "net"

// listening has the keep-alive of package net.
var listening net.ListenConfig
