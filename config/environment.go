package config

// environment is every variable that Telltale reads: the one table from which Load, `telltale config`, `.env.example` and
// the table of docs/configuration.md are made. Values are kept as text, because envconfig stops at the first value it cannot convert and
// an operator should see every fault at once; an unset or empty variable holds its default.
//
// A field's type says how its text is read (see kinds.go). Its tags:
//
//	envconfig  the variable's name
//	default    its value when it is unset or empty
//	desc       its meaning, with the unit
//	min, max   the range of a number
//	oneof      the words of a choice
//	group      the heading that starts with this variable
type environment struct {
	Host            text   `group:"Server" envconfig:"HOST" default:"127.0.0.1" desc:"Address to listen on. The default is reachable from this machine only; 0.0.0.0 (which the container image sets) listens on every interface."`
	Port            number `envconfig:"PORT" default:"8000" min:"1" max:"65535" desc:"Port to listen on."`
	AllowedOrigins  list   `envconfig:"ALLOWED_ORIGINS" desc:"Origins whose pages may call the API from a browser (CORS): comma-separated scheme://host[:port], or * for all. Pages served by Telltale itself need none."`
	TrustedProxies  list   `envconfig:"TRUSTED_PROXIES" desc:"Proxies whose X-Forwarded-For tells a client's address: comma-separated addresses and ranges such as 10.0.0.0/8. Unset, none is believed, and all that comes through a proxy counts as from one address."`
	MaxBodyBytes    number `envconfig:"MAX_BODY_BYTES" default:"16777216" min:"1024" max:"1073741824" desc:"Largest request body in bytes, before and after decompression."`
	BodyBudgetBytes number `envconfig:"BODY_BUDGET_BYTES" default:"268435456" min:"1048576" max:"1099511627776" desc:"Bytes that the bodies of all requests together may take in memory, as sent and inflated; MAX_BODY_BYTES if that is more. Beyond it requests get 503."`
	DataDir         text   `envconfig:"DATA_DIR" default:"./data" desc:"Folder of the embedded PostgreSQL and of generated secrets."`

	LogLevel              choice `group:"Log" envconfig:"LOG_LEVEL" default:"info" oneof:"debug,info,warn,error" desc:"Least severe level that is logged."`
	LogFormat             choice `envconfig:"LOG_FORMAT" default:"auto" oneof:"auto,console,json" desc:"Form of a log line; auto is console on a terminal and json otherwise."`
	AccessLogIngestSample number `envconfig:"ACCESS_LOG_INGEST_SAMPLE" default:"1" min:"1" max:"1000000" desc:"How many successful calls that post readings share one line of the access log, which says how many it stands for; what is left is counted in a line a minute, and at the stop. 1 logs each call. Failures and all other calls are always logged."`

	DBHost                  text   `group:"Database" envconfig:"DB_HOST" desc:"Host, address or Unix socket folder of the PostgreSQL server. Unset, Telltale runs an embedded PostgreSQL of its own under DATA_DIR, and the variables that describe a server must be unset as well."`
	DBPort                  number `envconfig:"DB_PORT" default:"5432" min:"1" max:"65535" desc:"Port of the server."`
	DBUsername              text   `envconfig:"DB_USERNAME" desc:"Role to connect as; needed with DB_HOST."`
	DBPassword              secret `envconfig:"DB_PASSWORD" desc:"Password of the role."`
	DBPasswordFile          text   `envconfig:"DB_PASSWORD_FILE" desc:"File that holds DB_PASSWORD, instead of the variable."`
	DBDatabase              text   `envconfig:"DB_DATABASE" desc:"Database to use; needed with DB_HOST."`
	DBSSLMode               choice `envconfig:"DB_SSLMODE" default:"prefer" oneof:"disable,allow,prefer,require,verify-ca,verify-full" desc:"TLS to the server, with libpq's meanings."`
	DBMinConnections        number `envconfig:"DB_MIN_CONNECTIONS" default:"10" min:"0" max:"10000" desc:"Connections opened at start and kept open."`
	DBMaxConnections        number `envconfig:"DB_MAX_CONNECTIONS" default:"20" min:"4" max:"10000" desc:"Connections never exceeded by the pool; at least 4, for ingest, tail, fold and one query at a time. The doorbell's LISTEN takes one more."`
	DBConnectionTimeoutSecs number `envconfig:"DB_CONNECTION_TIMEOUT_SECS" default:"30" min:"1" max:"3600" desc:"Longest wait for connecting, and for a free connection, in seconds."`
	DBStatementTimeoutSecs  number `envconfig:"DB_STATEMENT_TIMEOUT_SECS" default:"15" min:"1" max:"3600" desc:"Longest run of one statement, in seconds; what waits for it is answered 503. A history query may take QUERY_TIMEOUT_SECS, and a statement of a fold ten times this."`
	DBIdleTimeoutSecs       number `envconfig:"DB_IDLE_TIMEOUT_SECS" default:"300" min:"1" max:"86400" desc:"How long an unused connection above the minimum is kept, in seconds."`
	DBPreparedStatements    toggle `envconfig:"DB_PREPARED_STATEMENTS" default:"true" desc:"Whether to prepare statements; false behind a pooler without support for them (PgBouncer before 1.21 in transaction mode)."`

	JWTSecretKey             secret `group:"Authentication" envconfig:"JWT_SECRET_KEY" desc:"Secret that signs and verifies HS* tokens: at least 32 bytes for HS256, 48 for HS384, 64 for HS512. Needed with DB_HOST and an HS* algorithm; with the embedded PostgreSQL one is made and kept in DATA_DIR."`
	JWTSecretKeyFile         text   `envconfig:"JWT_SECRET_KEY_FILE" desc:"File that holds JWT_SECRET_KEY, instead of the variable."`
	JWTAlgorithm             choice `envconfig:"JWT_ALGORITHM" default:"HS256" oneof:"HS256,HS384,HS512,RS256,RS384,RS512,ES256,ES384,ES512,EdDSA" desc:"The only algorithm that tokens are accepted with. RS*, ES* and EdDSA verify the tokens of an outside identity provider."`
	JWTPublicKey             secret `envconfig:"JWT_PUBLIC_KEY" desc:"Public key (PEM, line breaks may be written as \\n) that verifies RS*, ES* or EdDSA tokens; or JWT_JWKS_URL."`
	JWTPublicKeyFile         text   `envconfig:"JWT_PUBLIC_KEY_FILE" desc:"File that holds JWT_PUBLIC_KEY, instead of the variable."`
	JWTJWKSURL               text   `envconfig:"JWT_JWKS_URL" desc:"URL (http or https) of the JWKS that verifies RS*, ES* or EdDSA tokens."`
	JWTIssuer                text   `envconfig:"JWT_ISSUER" desc:"Issuer (iss) that tokens must name; unset, none is asked for."`
	JWTAudience              text   `envconfig:"JWT_AUDIENCE" desc:"Audience (aud) that tokens must name, among others perhaps; unset, none is asked for. Set it with an identity provider that issues tokens for other services too."`
	AccessTokenExpireMinutes number `envconfig:"ACCESS_TOKEN_EXPIRE_MINUTES" default:"30" min:"1" max:"525600" desc:"Lifetime of an issued access token in minutes."`
	AdminUsername            text   `envconfig:"ADMIN_USERNAME" default:"admin" desc:"Name of the first administrator, who is made when there is no user yet."`
	AdminPassword            secret `envconfig:"ADMIN_PASSWORD" desc:"Password of the first administrator, 8 to 128 characters. Needed for the first start on a server's empty database; with the embedded PostgreSQL one is made, printed once and kept in DATA_DIR."`
	AdminPasswordFile        text   `envconfig:"ADMIN_PASSWORD_FILE" desc:"File that holds ADMIN_PASSWORD, instead of the variable."`

	ReadingsMaxQueued     number `group:"Readings" envconfig:"READINGS_MAX_QUEUED" default:"2000000" min:"1000" max:"1000000000" desc:"Readings that may wait for a group commit, in memory at 20 bytes each; a request counts 512 bytes more. Beyond it ingest answers 503."`
	ReadingsMaxUnfolded   number `envconfig:"READINGS_MAX_UNFOLDED" default:"8000000" min:"1000" max:"1000000000" desc:"Readings that no chunk holds yet, in memory at 28 bytes each; a commit counts 200 bytes more, a series 32. Beyond it ingest answers 503."`
	MaxSeries             number `envconfig:"MAX_SERIES" default:"1000000" min:"1" max:"100000000" desc:"Series (one metric of one device each) that may exist; beyond it ingest refuses new ones. Each takes about 300 bytes of memory in every instance."`
	FoldReadings          number `envconfig:"FOLD_READINGS" default:"2000000" min:"1" max:"1000000000" desc:"Unfolded readings, counted in the same way, that start a fold early; at most READINGS_MAX_UNFOLDED."`
	FoldIntervalSecs      number `envconfig:"FOLD_INTERVAL_SECS" default:"3600" min:"1" max:"86400" desc:"How often the log is folded into chunks otherwise, in seconds; folds happen at its multiples since the epoch, those of a whole day an hour later. Where most series have few readings an hour, a day (86400) writes far less to the write-ahead log; up to FOLD_READINGS stay in memory longer, and are read at start."`
	WindowBytes           number `envconfig:"WINDOW_BYTES" default:"67108864" min:"1048576" max:"1099511627776" desc:"Bytes of the already folded log that stay in memory for viewers that resume."`
	LogRetentionHours     number `envconfig:"LOG_RETENTION_HOURS" default:"24" min:"1" max:"8760" desc:"How long the log table is kept, and with it the reach of a resuming viewer, in hours."`
	ReadingsRetentionDays number `envconfig:"READINGS_RETENTION_DAYS" default:"0" min:"0" max:"36500" desc:"How long readings are kept, in days; 0 is for ever. A device may have a number of its own."`
	ReadingsMaxAheadDays  number `envconfig:"READINGS_MAX_AHEAD_DAYS" default:"400" min:"1" max:"36500" desc:"How far ahead of now the time of a reading may be, in days; readings beyond it are refused, since they are a wrong clock's rather than a forecast."`
	QueryTimeoutSecs      number `envconfig:"QUERY_TIMEOUT_SECS" default:"60" min:"1" max:"3600" desc:"Longest run of one history query, in seconds."`
	QueryMaxPoints        number `envconfig:"QUERY_MAX_POINTS" default:"10000000" min:"1000" max:"1000000000" desc:"Most points of an answer that is not paged through by limit and cursor; a query for more is refused, and told a wider interval."`

	StreamMaxPerUser       number `group:"Streaming" envconfig:"STREAM_MAX_PER_USER" default:"10000" min:"1" max:"1000000" desc:"Viewers that one user or API key may have open on one instance."`
	StreamMaxPerAddress    number `envconfig:"STREAM_MAX_PER_ADDRESS" default:"10000" min:"1" max:"1000000" desc:"Viewers that may be open from one client address on one instance; behind a proxy, see TRUSTED_PROXIES."`
	StreamHeartbeatSecs    number `envconfig:"STREAM_HEARTBEAT_SECS" default:"15" min:"1" max:"3600" desc:"Longest silence on a stream, in seconds."`
	StreamWriteTimeoutSecs number `envconfig:"STREAM_WRITE_TIMEOUT_SECS" default:"30" min:"1" max:"3600" desc:"How long a viewer's connection may refuse bytes before it is closed, in seconds."`
}
