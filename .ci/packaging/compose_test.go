package packaging

import (
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// secrets are what the composition must be given.
var secrets = []string{"DB_PASSWORD", "JWT_SECRET_KEY", "ADMIN_PASSWORD"}

// load reads docker-compose.yml as Compose would in an environment of these variables alone.
func load(t *testing.T, env ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{root + "/docker-compose.yml"}, cli.WithEnv(env), cli.WithWorkingDirectory(root))
	require.NoError(t, err)
	return options.LoadProject(t.Context())
}

func given() []string {
	var env []string
	for _, name := range secrets {
		env = append(env, name+"=value-of-"+name)
	}
	return env
}

func TestComposition_IsValid(t *testing.T) {
	t.Parallel()
	project, err := load(t, given()...)
	require.NoError(t, err)
	telltale, postgres := project.Services["telltale"], project.Services["postgres"]

	for _, name := range secrets {
		require.Equal(t, "value-of-"+name, *telltale.Environment[name])
	}
	require.Equal(t, "value-of-DB_PASSWORD", *postgres.Environment["POSTGRES_PASSWORD"])
	require.Equal(t, *postgres.Environment["POSTGRES_USER"], *telltale.Environment["DB_USERNAME"])
	require.Equal(t, *postgres.Environment["POSTGRES_DB"], *telltale.Environment["DB_DATABASE"])
	require.Equal(t, "postgres", *telltale.Environment["DB_HOST"])

	require.Empty(t, postgres.Ports, "the database is not published")
	require.Len(t, telltale.Ports, 1)
	require.Equal(t, "127.0.0.1", telltale.Ports[0].HostIP)
	require.EqualValues(t, 8000, telltale.Ports[0].Target)

	require.NotNil(t, postgres.HealthCheck)
	require.Equal(t, types.ServiceConditionHealthy, telltale.DependsOn["postgres"].Condition)
	require.Contains(t, project.Volumes, postgres.Volumes[0].Source)
	require.True(t, telltale.ReadOnly)
	require.Greater(t, time.Duration(*telltale.StopGracePeriod), 10*time.Second, "telltale takes up to ten seconds to stop")
}

func TestComposition_HasNoDefaultSecrets(t *testing.T) {
	t.Parallel()
	for i, name := range secrets {
		env := given()
		env[i] = name + "="
		_, err := load(t, env...)
		require.ErrorContains(t, err, name)
	}
}
