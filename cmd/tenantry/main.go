// Command tenantry is the control plane: its server and its tools.
package main

import (
	"os"

	"github.com/tenantry/tenantry/internal/cli"
)

// version is set by the build.
var version = "dev"

func main() { os.Exit(cli.Main(version, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)) }
