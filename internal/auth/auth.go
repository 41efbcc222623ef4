// Package auth knows who calls and what they may do: users and their
// passwords, sessions and tokens, API keys, and the authorization table.
package auth
