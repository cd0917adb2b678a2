package temporal

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"

	"go.temporal.io/server/common/rpc/encryption"
)

// secretName is the host name in the certificate. It resolves nowhere: both
// ends are told to expect it.
const secretName = "temporal.attune.invalid"

// secretLife outlives any process, because the certificate cannot be renewed
// while the server runs; it dies with the process that holds its key.
const secretLife = 20 * 365 * 24 * time.Hour

// secret keeps the embedded server to its own process. A loopback port is open
// to every user of the machine, and only Temporal's frontend can ask who is
// calling: its history and matching services trust whoever reaches them, and
// its own worker cannot carry a token. So all of them speak mutual TLS with one
// certificate, made at each start, whose key never leaves this memory.
type secret struct {
	cert tls.Certificate
	pool *x509.CertPool
}

var _ encryption.TLSConfigProvider = (*secret)(nil)

func newSecret() (*secret, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the key of the embedded temporal: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("make the serial number of the embedded temporal: %w", err)
	}
	now := time.Now()
	shape := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: secretName},
		DNSNames:              []string{secretName},
		NotBefore:             now.Add(-24 * time.Hour), // a clock set back must not lock us out
		NotAfter:              now.Add(secretLife),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, shape, shape, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate of the embedded temporal: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the embedded temporal: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &secret{cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool: pool}, nil
}

func (s *secret) client() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{s.cert},
		RootCAs:      s.pool,
		ServerName:   secretName,
	}
}

func (s *secret) server() *tls.Config {
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		Certificates: []tls.Certificate{s.cert},
		ClientCAs:    s.pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	}
}

// GetInternodeServerConfig is what history, matching and worker listen with.
func (s *secret) GetInternodeServerConfig() (*tls.Config, error) { return s.server(), nil }

// GetInternodeClientConfig is what the services call each other with.
func (s *secret) GetInternodeClientConfig() (*tls.Config, error) { return s.client(), nil }

// GetFrontendServerConfig is what the frontend listens with.
func (s *secret) GetFrontendServerConfig() (*tls.Config, error) { return s.server(), nil }

// GetFrontendClientConfig is what the server's own worker calls the frontend with.
func (s *secret) GetFrontendClientConfig() (*tls.Config, error) { return s.client(), nil }

// GetRemoteClusterClientConfig serves the one cluster there is: this one.
func (s *secret) GetRemoteClusterClientConfig(string) (*tls.Config, error) { return s.client(), nil }

// GetExpiringCerts finds none: see secretLife.
func (s *secret) GetExpiringCerts(time.Duration) (expiring, expired encryption.CertExpirationMap, err error) {
	return nil, nil, nil
}
