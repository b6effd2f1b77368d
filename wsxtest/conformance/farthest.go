package conformance

import "errors"

// farthest returns how far back the references in deflated data go, in bytes, up to the end of the data or of a last
// block (RFC 1951). The data has to be valid: compress/flate, which does not tell, has inflated it.
func farthest(p []byte) (distance int, err error) {
	defer func() {
		if e, ok := recover().(endOfData); ok {
			err = e
		}
	}()
	s := &bitReader{p: p}
	for last := uint(0); last == 0; {
		last = s.bits(1)
		switch s.bits(2) {
		case 0:
			s.stored()
		case 1:
			distance = max(distance, s.block(fixedCodes()))
		case 2:
			distance = max(distance, s.block(s.dynamicCodes()))
		default:
			return 0, errors.New("a block of type 3")
		}
	}
	return distance, nil
}

// endOfData is what reading past the end panics with.
type endOfData struct{}

func (endOfData) Error() string { return "the data ends within a block" }

// bitReader reads from the lowest bit of each byte up.
type bitReader struct {
	p  []byte
	at int // in bits
}

func (s *bitReader) bits(n int) (v uint) {
	for i := range n {
		if s.at>>3 >= len(s.p) {
			panic(endOfData{})
		}
		v |= uint(s.p[s.at>>3]>>(s.at&7)&1) << i
		s.at++
	}
	return v
}

// stored passes over a stored block.
func (s *bitReader) stored() {
	s.at = (s.at + 7) &^ 7
	n := s.bits(16)
	s.at += 16 + 8*int(n)
}

// codes are the Huffman codes of a block: of literals and lengths, and of distances.
type codes struct{ literal, distance huffman }

// huffman is a canonical code: how many symbols there are of each length, and the symbols in their order.
type huffman struct {
	counts  [16]int
	symbols []int
}

func newHuffman(lengths []int) (h huffman) {
	for length := 1; length < len(h.counts); length++ {
		for symbol, l := range lengths {
			if l == length {
				h.counts[length]++
				h.symbols = append(h.symbols, symbol)
			}
		}
	}
	return h
}

func (s *bitReader) symbol(h huffman) int {
	code, first, index := 0, 0, 0
	for length := 1; length < len(h.counts); length++ {
		code |= int(s.bits(1))
		if code-first < h.counts[length] {
			return h.symbols[index+code-first]
		}
		index += h.counts[length]
		first = (first + h.counts[length]) << 1
		code <<= 1
	}
	panic(endOfData{})
}

// block reads a block that is not stored, and returns how far its references go back.
func (s *bitReader) block(c codes) (distance int) {
	for {
		symbol := s.symbol(c.literal)
		switch {
		case symbol < 256:
			continue
		case symbol == 256:
			return distance
		case symbol >= 265 && symbol < 285:
			s.bits((symbol - 261) / 4) // the rest of the length, which does not matter
		}
		d := s.symbol(c.distance)
		from := d + 1
		if d > 3 {
			extra := d/2 - 1
			from = (2+d%2)<<extra + 1 + int(s.bits(extra))
		}
		distance = max(distance, from)
	}
}

func fixedCodes() codes {
	literal, distance := make([]int, 288), make([]int, 30)
	for i := range literal {
		switch {
		case i < 144:
			literal[i] = 8
		case i < 256:
			literal[i] = 9
		case i < 280:
			literal[i] = 7
		default:
			literal[i] = 8
		}
	}
	for i := range distance {
		distance[i] = 5
	}
	return codes{newHuffman(literal), newHuffman(distance)}
}

func (s *bitReader) dynamicCodes() codes {
	literals, distances, n := int(s.bits(5))+257, int(s.bits(5))+1, int(s.bits(4))+4
	order := []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	meta := make([]int, len(order))
	for _, symbol := range order[:n] {
		meta[symbol] = int(s.bits(3))
	}
	h := newHuffman(meta)
	var lengths []int
	for len(lengths) < literals+distances {
		repeat, value := 1, s.symbol(h)
		switch value {
		case 16:
			repeat, value = 3+int(s.bits(2)), lengths[len(lengths)-1]
		case 17:
			repeat, value = 3+int(s.bits(3)), 0
		case 18:
			repeat, value = 11+int(s.bits(7)), 0
		}
		for range repeat {
			lengths = append(lengths, value)
		}
	}
	return codes{newHuffman(lengths[:literals]), newHuffman(lengths[literals:])}
}
