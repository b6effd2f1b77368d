package wire_test

import (
	"fmt"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

func ExampleRound() {
	r := wire.NewRound(0)
	defer r.Release()
	r.Append(ws.Text, []byte("Hello"), nil) // section 5.7's first example
	fmt.Println(r.Len(), "bytes on the wire")
	fmt.Printf("% x\n", wire.AppendHeader(nil, true, wire.OpText, 5, nil))
	// Output:
	// 7 bytes on the wire
	// 81 05
}

func ExampleMask() {
	p := []byte("Hello") // section 5.7's masked example, with the key 37 fa 21 3d
	wire.Mask(p, 0x3d21fa37)
	fmt.Printf("% x\n", p)
	wire.Mask(p, 0x3d21fa37)
	fmt.Printf("%s\n", p)
	// Output:
	// 7f 9f 4d 51 58
	// Hello
}
