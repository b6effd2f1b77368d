module github.com/fiberwsx/wsx/codec/cbor

go 1.25.0

require github.com/fiberwsx/wsx v0.0.0

require github.com/fxamacker/cbor/v2 v2.9.6

require (
	github.com/klauspost/compress v1.17.11 // indirect
	github.com/x448/float16 v0.8.4 // indirect
)

replace github.com/fiberwsx/wsx => ../..
