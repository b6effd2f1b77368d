//go:build !race

package wsx_test

const raced = false
