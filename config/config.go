// Package config reads Telltale's settings from the environment into typed sections, once, at start.
//
// Load reports all errors at once. After it has returned without one, no other part of the program has to check a setting again.
// The package does not act on a setting.
package config

import (
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Config is the whole configuration. Each section is provided to fx on its own, so that a module sees only what it needs.
type Config struct {
	DB        DB
	HTTP      HTTP
	Log       Log
	Auth      Auth
	Readings  Readings
	Streaming Streaming
	// DataDir is where the embedded PostgreSQL and generated secrets live.
	DataDir string
}

// DB tells where PostgreSQL is and how many connections to hold.
type DB struct {
	// Host is empty when Telltale runs an embedded PostgreSQL of its own.
	Host     string
	Port     int
	Username string
	Password string
	Database string
	SSLMode  string
	// MinConnections are opened at start and kept; MaxConnections are never exceeded by the pool.
	MinConnections int
	MaxConnections int
	// ConnectionTimeout bounds connecting and waiting for a free connection.
	ConnectionTimeout time.Duration
	// StatementTimeout bounds a statement, from when it has a connection until its result has been read.
	StatementTimeout time.Duration
	// IdleTimeout is how long an unused connection above the minimum is kept.
	IdleTimeout time.Duration
	// PreparedStatements is false behind a pooler that does not support them (PgBouncer before 1.21 in transaction mode).
	PreparedStatements bool
}

// Embedded reports whether Telltale runs its own PostgreSQL under DataDir.
func (db DB) Embedded() bool { return db.Host == "" }

// HTTP is where and how the API is served.
type HTTP struct {
	Host string
	Port int
	// AllowedOrigins are scheme://host[:port] as browsers send them (lower case, no default port), or a single *.
	AllowedOrigins []string
	// TrustedProxies are the peers whose X-Forwarded-For tells the client's address; none when empty.
	TrustedProxies []netip.Prefix
	// MaxBodyBytes bounds a request body, before and after decompression.
	MaxBodyBytes int
	// BodyBudgetBytes bounds the bodies of all requests that are in memory together; it is never less than MaxBodyBytes.
	BodyBudgetBytes int
	// AccessLogIngestSample is how many successful calls that post readings share a line of the access log; 1 logs each.
	AccessLogIngestSample int
}

// Address returns host and port to listen on.
func (h HTTP) Address() string { return net.JoinHostPort(h.Host, strconv.Itoa(h.Port)) }

// Log is the verbosity and format of the log.
type Log struct {
	// Level is debug, info, warn or error.
	Level string
	// Format is console or json.
	Format string
}

// Auth holds what tokens are signed and checked with.
type Auth struct {
	// SecretKey signs and verifies HS* tokens. Empty in embedded mode until the auth module has made one.
	SecretKey string
	Algorithm string
	// PublicKey (PEM) or JWKSURL verify RS*, ES* and EdDSA tokens of an outside identity provider.
	PublicKey string
	JWKSURL   string
	Issuer    string
	// Audience is what tokens must name in their aud claim; empty asks for none.
	Audience string
	// TokenLifetime is how long an issued access token is valid.
	TokenLifetime time.Duration
	AdminUsername string
	AdminPassword string
}

// Readings bounds the log, the recent window and the fold.
type Readings struct {
	// MaxQueuedReadings bounds the memory of what waits for a group commit, by the readings of one request; beyond it ingest
	// answers 503.
	MaxQueuedReadings int
	// MaxSeries bounds how many series may exist; readings of further ones are refused.
	MaxSeries int
	// MaxUnfoldedReadings bounds the memory of what the recent window holds that no chunk holds yet, by the readings of one
	// batch and few series; beyond it ingest answers 503.
	MaxUnfoldedReadings int
	// FoldReadings is the number of unfolded readings that starts a fold early.
	FoldReadings int
	// FoldInterval is how often everything is folded otherwise; folds happen at its multiples since the epoch, those of a
	// whole day an hour later.
	FoldInterval time.Duration
	// WindowBytes is how much of the already folded log stays in memory for viewers that resume.
	WindowBytes int
	// LogRetention is how long the log table is kept for resume.
	LogRetention time.Duration
	// RetentionDays is how long readings of devices without a number of their own are kept; 0 is for ever.
	RetentionDays int
	// MaxAheadDays is how far ahead of now readings may be; 0 is without a limit.
	MaxAheadDays int
	// QueryTimeout bounds one history query.
	QueryTimeout time.Duration
	// QueryMaxPoints bounds the answer to one history query that is not paged through.
	QueryMaxPoints int
}

// Streaming bounds live viewers.
type Streaming struct {
	MaxPerUser    int
	MaxPerAddress int
	// Heartbeat is the longest silence on a stream.
	Heartbeat time.Duration
	// WriteTimeout is how long a viewer's connection may refuse bytes before it is closed.
	WriteTimeout time.Duration
}
