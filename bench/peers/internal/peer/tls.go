package peer

import (
	"crypto/tls"
	"flag"
	"log"
	"net"
)

var (
	certFile = flag.String("tls-cert", "", "serve TLS with the certificate in `FILE`")
	keyFile  = flag.String("tls-key", "", "`FILE` of its key")
)

// Secure returns ln, with TLS when the flags say so. Where the certificate cannot be read it ends the program.
func Secure(ln net.Listener) net.Listener {
	if *certFile == "" {
		return ln
	}
	cert, err := tls.LoadX509KeyPair(*certFile, *keyFile)
	if err != nil {
		log.Fatal(err)
	}
	return tls.NewListener(ln, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
}
