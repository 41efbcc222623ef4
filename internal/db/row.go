package db

import (
	"encoding/binary"
	"reflect"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// Scan takes the columns that nearly all queries have: whole numbers, truth,
// text and bytes as PostgreSQL sends them, into what they are for under
// whatever name. pgx, which plans every conversion that there is, takes rows
// with any other column, and says what is wrong with one that does not fit.
func (a *fetched) Scan(dest ...any) error {
	values, columns := a.RawValues(), a.FieldDescriptions()
	if len(values) != len(dest) || len(values) != len(columns) {
		return a.Rows.Scan(dest...)
	}
	for i := range dest {
		if !take(&columns[i], values[i], dest[i]) {
			return a.Rows.Scan(dest...)
		}
	}
	return nil
}

// take stores one value, and says whether it knows how.
func take(c *pgconn.FieldDescription, value []byte, dest any) bool {
	switch d := dest.(type) {
	case *int64:
		n, ok := number(c, value)
		*d = n
		return ok
	case *string:
		if value == nil || c.DataTypeOID != pgtype.TextOID {
			return false
		}
		*d = string(value)
		return true
	case *[]byte:
		if c.DataTypeOID != pgtype.ByteaOID || c.Format != pgtype.BinaryFormatCode {
			return false
		}
		*d = append([]byte(nil), value...) // nil where there are none, as on SQLite
		return true
	}
	v := reflect.ValueOf(dest)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return false
	}
	v = v.Elem()
	if v.Kind() != reflect.Pointer {
		return value != nil && set(c, value, v)
	}
	if value == nil {
		v.SetZero()
		return true
	}
	made := reflect.New(v.Type().Elem())
	if !set(c, value, made.Elem()) {
		return false
	}
	v.Set(made)
	return true
}

// set is take for a value that is there and a destination of a kind.
func set(c *pgconn.FieldDescription, value []byte, v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Int64, reflect.Int:
		n, ok := number(c, value)
		if !ok || v.OverflowInt(n) {
			return false
		}
		v.SetInt(n)
	case reflect.String:
		if c.DataTypeOID != pgtype.TextOID {
			return false
		}
		v.SetString(string(value))
	case reflect.Bool:
		if c.DataTypeOID != pgtype.BoolOID || c.Format != pgtype.BinaryFormatCode || len(value) != 1 {
			return false
		}
		v.SetBool(value[0] != 0)
	default:
		return false
	}
	return true
}

// number reads a BIGINT as it is sent.
func number(c *pgconn.FieldDescription, value []byte) (int64, bool) {
	if c.DataTypeOID != pgtype.Int8OID || c.Format != pgtype.BinaryFormatCode || len(value) != 8 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(value)), true
}
