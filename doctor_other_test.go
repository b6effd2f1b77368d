//go:build !unix

package wsx_test

const limitsFiles = false
