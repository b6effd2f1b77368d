module github.com/fiberwsx/wsx/codec/msgpack

go 1.25.0

require github.com/fiberwsx/wsx v0.0.0

require github.com/shamaton/msgpack/v3 v3.1.0

require github.com/klauspost/compress v1.17.11 // indirect

replace github.com/fiberwsx/wsx => ../..
