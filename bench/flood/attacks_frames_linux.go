package main

import (
	"bytes"
	"compress/flate"
	"time"
)

// unmasked is the key of a frame whose mask changes nothing.
const unmasked = "\x00\x00\x00\x00"

// hugeLengths sends headers that promise more than anybody may send.
func hugeLengths(a *attacker) {
	lengths := []uint64{1 << 62, 1 << 31, 64<<10 + 1}
	a.again(256, 600, func(i int) {
		p := a.dial("/echo", false)
		if p == nil {
			return
		}
		a.hold(p.nc)
		_, _ = p.nc.Write(append(appendHeader(nil, finBinary, lengths[i%len(lengths)]), unmasked...))
		a.saw(p.fate(a.until), 1)
	})
}

// fragments sends messages in many fragments, with an end or without.
func fragments(a *attacker, payload []byte) {
	const most = 1000
	next := appendFrame(nil, more, payload)
	endless := bytes.Repeat(next, most)
	whole := bytes.Repeat(next, most-1)
	whole = appendFrame(whole, fin|more, payload)
	whole = appendFrame(whole, text, payload) // begins the next one
	pace := a.pace(400_000)
	a.each(32, func(i int) {
		block := endless
		if i%2 == 1 {
			block = whole
		}
		for !a.over() {
			if p := a.dial("/echo", false); p != nil {
				_ = p.frame(text, payload)
				a.saw(a.pour(p, pace, most, block), 1)
			}
		}
	})
}

// endlessMessages sends all of a message but its end.
func endlessMessages(a *attacker) {
	const fragment = 1 << 10
	first := bytes.Repeat([]byte("x"), fragment)
	b := appendFrame(nil, text, first)
	for range 64<<10/fragment - 2 {
		b = appendFrame(b, more, first)
	}
	b = appendFrame(b, more, first[1:])
	a.stay(1000, func(int) {
		p := a.dial("/echo", false)
		if p == nil {
			return
		}
		a.hold(p.nc)
		_, _ = p.nc.Write(b)
		if fate := p.fate(a.until); fate != "left open" {
			a.saw(fate, 1)
		} else {
			a.saw("held", 1)
		}
	})
}

func pingFlood(a *attacker) {
	const block = 100
	pings := bytes.Repeat(appendFrame(nil, finPing, make([]byte, 125)), block)
	pace := a.pace(100_000)
	a.each(64, func(int) {
		for !a.over() {
			if p := a.dial("/echo", false); p != nil {
				a.saw(a.pour(p, pace, block, pings), 1)
			}
		}
	})
}

// slowWriters send frames that never become whole.
func slowWriters(a *attacker) {
	a.stay(1000, func(int) {
		p := a.dial("/echo", false)
		if p == nil {
			return
		}
		a.hold(p.nc)
		_, err := p.nc.Write(append(appendHeader(nil, finBinary, 60_000), unmasked...))
		for ; err == nil && !a.over(); <-time.After(time.Second) {
			_, err = p.nc.Write([]byte("x"))
		}
		if err != nil && !a.over() {
			a.saw(told(err), 1)
		}
	})
}

// deflated returns n zeros as the payload of a compressed message.
func deflated(n int) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // the level is a good one
	_, _ = w.Write(make([]byte, n))
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xFF, 0xFF})
}

// deflate offers compression in a handshake.
const deflate = "Sec-WebSocket-Extensions: permessage-deflate\r\n"

func bombs(a *attacker) {
	bomb := deflated(10 << 20)
	a.again(256, 300, func(int) {
		p := a.dial("/echo", false, deflate)
		if p == nil {
			return
		}
		a.hold(p.nc)
		_ = p.frame(finBinary|rsv1, bomb)
		a.saw(p.fate(a.until), 1)
	})
}

// bombRows are small bombs as fast as the server takes them, many in a write.
func bombRows(a *attacker) {
	const row = 100
	bombs := bytes.Repeat(appendFrame(nil, finBinary|rsv1, deflated(60<<10)), row)
	pace := a.pace(1 << 20)
	a.each(50, func(int) {
		for !a.over() {
			if p := a.dial("/echo", false, deflate); p != nil {
				a.saw(a.pour(p, pace, row, bombs), 1)
			}
		}
	})
}

// smallBombs are within the limit.
func smallBombs(a *attacker) {
	bomb := appendFrame(nil, finBinary|rsv1, deflated(60<<10))
	pace := a.pace(500)
	a.each(50, func(int) {
		for !a.over() {
			if p := a.dial("/echo", false, deflate); p != nil {
				a.saw(a.pour(p, pace, 1, bomb), 1)
			}
		}
	})
}
