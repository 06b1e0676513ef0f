package config

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/mattn/go-isatty"
)

// Load reads the environment, and the files that _FILE variables name. Its error is a Faults with everything that is
// wrong, or one of envconfig's own.
func Load() (Config, error) {
	l, err := fromProcess()
	if err != nil {
		return Config{}, err
	}
	return l.result()
}

// fromProcess loads the environment of this process.
func fromProcess() (*loader, error) {
	var env environment
	if err := envconfig.Process("", &env); err != nil {
		return nil, fmt.Errorf("reading the environment: %w", err)
	}
	return load(env, isatty.IsTerminal(os.Stderr.Fd())), nil
}

// loader is one pass over an environment.
type loader struct {
	env environment
	// files names the file that each secret of the environment was read from; those given directly are absent.
	files  map[string]string
	faults Faults
}

// load completes the environment with defaults and the contents of files, and looks for every fault in it. A log on a
// terminal is formatted for people, unless its format was chosen.
func load(env environment, terminal bool) *loader {
	l := &loader{env: env, files: make(map[string]string)}
	for i, variable := range Variables() {
		l.complete(variable, reflect.ValueOf(&l.env).Elem().Field(i))
	}
	if l.env.LogFormat == "auto" {
		l.env.LogFormat = "json"
		if terminal {
			l.env.LogFormat = "console"
		}
	}
	for _, variable := range Variables() {
		l.check(variable)
	}
	l.checkServer()
	l.checkDatabase()
	l.checkTokens()
	l.checkAdmin()
	l.checkReadings()
	return l
}

// result returns the configuration, or what is wrong with the environment.
func (l *loader) result() (Config, error) {
	if len(l.faults) == 0 {
		return l.env.config(), nil
	}
	order := make(map[string]int)
	for i, variable := range Variables() {
		order[variable.Name] = i
	}
	slices.SortStableFunc(l.faults, func(a, b Fault) int { return order[a.Variable] - order[b.Variable] })
	return Config{}, l.faults
}

// complete cuts the space around a value that is no secret, and puts the default in the place of an empty one.
func (l *loader) complete(variable Variable, field reflect.Value) {
	if variable.Secret {
		return
	}
	field.SetString(strings.TrimSpace(field.String()))
	if field.String() == "" {
		field.SetString(variable.Default)
	}
}

// value returns the field of the variable named.
func (l *loader) value(name string) reflect.Value {
	i := slices.IndexFunc(Variables(), func(v Variable) bool { return v.Name == name })
	if i < 0 {
		panic("config: no variable is named " + name)
	}
	return reflect.ValueOf(&l.env).Elem().Field(i)
}

// fault notes that the variable named cannot be used.
func (l *loader) fault(name, reason string, args ...any) {
	fault := Fault{Variable: name, Reason: fmt.Sprintf(reason, args...)}
	if field := l.value(name); field.Type() != reflect.TypeFor[secret]() {
		fault.Value = shown(field.String())
	} else if field.String() != "" {
		fault.Value = "(not shown)"
	}
	l.faults = append(l.faults, fault)
}

// sound reports whether no fault has been found in the variables named.
func (l *loader) sound(names ...string) bool {
	return !slices.ContainsFunc(l.faults, func(f Fault) bool { return slices.Contains(names, f.Variable) })
}

// config returns an environment without faults in typed sections.
func (e environment) config() Config {
	return Config{
		DataDir: string(e.DataDir),
		HTTP: HTTP{
			Host:                  string(e.Host),
			Port:                  e.Port.int(),
			AllowedOrigins:        origins(e.AllowedOrigins),
			TrustedProxies:        prefixes(e.TrustedProxies),
			MaxBodyBytes:          e.MaxBodyBytes.int(),
			AccessLogIngestSample: e.AccessLogIngestSample.int(),
			BodyBudgetBytes:       max(e.BodyBudgetBytes.int(), e.MaxBodyBytes.int()),
		},
		Log: Log{Level: string(e.LogLevel), Format: string(e.LogFormat)},
		DB: DB{
			Host:               string(e.DBHost),
			Port:               e.DBPort.int(),
			Username:           string(e.DBUsername),
			Password:           string(e.DBPassword),
			Database:           string(e.DBDatabase),
			SSLMode:            string(e.DBSSLMode),
			MinConnections:     e.DBMinConnections.int(),
			MaxConnections:     e.DBMaxConnections.int(),
			ConnectionTimeout:  e.DBConnectionTimeoutSecs.times(time.Second),
			StatementTimeout:   e.DBStatementTimeoutSecs.times(time.Second),
			IdleTimeout:        e.DBIdleTimeoutSecs.times(time.Second),
			PreparedStatements: e.DBPreparedStatements.bool(),
		},
		Auth: Auth{
			SecretKey:     string(e.JWTSecretKey),
			Algorithm:     string(e.JWTAlgorithm),
			PublicKey:     unescapePEM(e.JWTPublicKey),
			JWKSURL:       string(e.JWTJWKSURL),
			Issuer:        string(e.JWTIssuer),
			Audience:      string(e.JWTAudience),
			TokenLifetime: e.AccessTokenExpireMinutes.times(time.Minute),
			AdminUsername: string(e.AdminUsername),
			AdminPassword: string(e.AdminPassword),
		},
		Readings: Readings{
			MaxQueuedReadings:   e.ReadingsMaxQueued.int(),
			MaxUnfoldedReadings: e.ReadingsMaxUnfolded.int(),
			MaxSeries:           e.MaxSeries.int(),
			FoldReadings:        e.FoldReadings.int(),
			FoldInterval:        e.FoldIntervalSecs.times(time.Second),
			WindowBytes:         e.WindowBytes.int(),
			LogRetention:        e.LogRetentionHours.times(time.Hour),
			RetentionDays:       e.ReadingsRetentionDays.int(),
			MaxAheadDays:        e.ReadingsMaxAheadDays.int(),
			QueryTimeout:        e.QueryTimeoutSecs.times(time.Second),
			QueryMaxPoints:      e.QueryMaxPoints.int(),
		},
		Streaming: Streaming{
			MaxPerUser:    e.StreamMaxPerUser.int(),
			MaxPerAddress: e.StreamMaxPerAddress.int(),
			Heartbeat:     e.StreamHeartbeatSecs.times(time.Second),
			WriteTimeout:  e.StreamWriteTimeoutSecs.times(time.Second),
		},
	}
}
