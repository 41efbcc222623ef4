// Package cli is the command line: it reads the configuration and calls app.
package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tenantry/tenantry/internal/app"
	"github.com/tenantry/tenantry/internal/config"
)

// shell is one run of the command: what it was given and where it writes.
type shell struct {
	version string
	environ []string
	in      *bufio.Reader
	out     io.Writer
	began   bool // the command line was understood
}

// Main runs the command and gives its exit code: 0 done, 1 failed, 2 not
// understood. An interrupt ends it in order.
func Main(version string, args, environ []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	sh := &shell{version: version, environ: environ, in: bufio.NewReader(in), out: out}
	root := sh.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(errs, "tenantry:", err)
	var usage *usageError
	if !sh.began || errors.As(err, &usage) {
		return 2
	}
	return 1
}

// usageError is a command line that was not understood.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func (sh *shell) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "tenantry",
		Short:         "The control plane of a white-label, multi-tenant SaaS business",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	flags := root.PersistentFlags()
	flags.String("config", "", "Configuration file: lines of name = value (TENANTRY_CONFIG).")
	for _, o := range (&config.Config{}).Options() {
		if !o.Secret {
			flags.String(o.Name, o.Default, strings.ReplaceAll(o.Doc, "`", "")+" ("+o.Env()+")")
		}
	}
	root.AddCommand(
		sh.command("serve", "Serve the API and the console", app.Serve),
		sh.command("migrate", "Bring the database to the newest schema", app.Migrate),
		sh.adminCommand(),
		sh.demoCommand(),
		sh.creditsCommand(),
		&cobra.Command{Use: "version", Short: "Print the version", Args: cobra.NoArgs, Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintln(sh.out, "tenantry", sh.version)
		}},
	)
	return root
}

// command makes a subcommand that needs the configuration and nothing else.
func (sh *shell) command(use, short string, run func(context.Context, *app.Config) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		sh.began = true
		cfg, err := sh.load(c.Flags())
		if err != nil {
			return err
		}
		return run(c.Context(), cfg)
	}}
}

// load reads the configuration for a command.
func (sh *shell) load(flags *pflag.FlagSet) (*app.Config, error) {
	given := map[string]string{}
	flags.Visit(func(f *pflag.Flag) { given[f.Name] = f.Value.String() })
	file, named := given["config"]
	delete(given, "config")
	delete(given, "email")
	delete(given, "password-file")
	if !named {
		file = sh.variable("TENANTRY_CONFIG")
	}
	cfg, err := config.Load(given, sh.environ, file)
	if err != nil {
		return nil, &usageError{err}
	}
	return &app.Config{Config: cfg, Version: sh.version, Out: sh.out}, nil
}

func (sh *shell) variable(name string) string {
	for _, e := range sh.environ {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

func (sh *shell) adminCommand() *cobra.Command {
	group := group("admin", "Manage superadmins from the machine itself")
	group.AddCommand(
		sh.accountCommand("create", "Make a superadmin", app.CreateSuperadmin),
		sh.accountCommand("reset-password", "Set a user's password and end all sessions", app.ResetPassword),
	)
	return group
}

func (sh *shell) demoCommand() *cobra.Command {
	group := group("demo", "Data to try it out with")
	group.AddCommand(sh.command("seed", "Fill an empty database with three months of believable data and print its logins", app.SeedDemo))
	return group
}

func (sh *shell) creditsCommand() *cobra.Command {
	group := group("credits", "The ledger of credits")
	group.AddCommand(sh.command("verify", "Check the whole ledger, while servers work on it; fails when something is wrong", app.VerifyCredits))
	return group
}

// group makes a command that only holds others: alone it explains itself, and
// a word that is none of them is refused.
func group(use, short string) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
}

// accountCommand makes a subcommand about one account; the password comes from
// a file or from standard input, never from the command line.
func (sh *shell) accountCommand(use, short string, run func(ctx context.Context, cfg *app.Config, email, password string) error) *cobra.Command {
	var email, file string
	c := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		sh.began = true
		cfg, err := sh.load(c.Flags())
		if err != nil {
			return err
		}
		password, err := sh.password(file)
		if err != nil {
			return err
		}
		return run(c.Context(), cfg, email, password)
	}}
	c.Flags().StringVar(&email, "email", "", "E-mail address of the account")
	c.Flags().StringVar(&file, "password-file", "", "File with the password; without it, standard input")
	_ = c.MarkFlagRequired("email")
	return c
}

func (sh *shell) password(file string) (string, error) {
	if file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", errors.New("the password file cannot be read")
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	fmt.Fprintln(sh.out, "Password:")
	line, err := sh.in.ReadString('\n')
	if err != nil && line == "" {
		return "", errors.New("no password on standard input")
	}
	return strings.TrimRight(line, "\r\n"), nil
}
