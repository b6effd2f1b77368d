module github.com/fiberwsx/wsx/auth/jwks

go 1.25.0

require (
	github.com/MicahParks/keyfunc/v3 v3.9.0
	github.com/fiberwsx/wsx v0.0.0
	go.uber.org/goleak v1.3.0
)

require (
	github.com/MicahParks/jwkset v0.11.3 // indirect
	github.com/golang-jwt/jwt/v5 v5.3.1 // indirect
	github.com/klauspost/compress v1.17.11 // indirect
	golang.org/x/time v0.15.0 // indirect
)

replace github.com/fiberwsx/wsx => ../..
