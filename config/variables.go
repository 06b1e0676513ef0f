package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Variable describes one environment variable.
type Variable struct {
	// Group is the heading it belongs under.
	Group string
	Name  string
	// Meaning is one or more sentences; units are named in it.
	Meaning string
	// Allowed says which values are accepted; empty when that is for Meaning to say.
	Allowed string
	// Default is what an unset or empty variable stands for; may be empty.
	Default string
	// Secret variables are never printed.
	Secret bool

	tag reflect.StructTag
}

// Variables returns every variable that Telltale reads, in the order in which they are explained.
func Variables() []Variable {
	table := reflect.TypeFor[environment]()
	variables := make([]Variable, 0, table.NumField())
	group := ""
	for field := range table.Fields() {
		if heading := field.Tag.Get("group"); heading != "" {
			group = heading
		}
		variables = append(variables, Variable{
			Group:   group,
			Name:    field.Tag.Get("envconfig"),
			Meaning: field.Tag.Get("desc"),
			Allowed: allowed(field),
			Default: field.Tag.Get("default"),
			Secret:  field.Type == reflect.TypeFor[secret](),
			tag:     field.Tag,
		})
	}
	return variables
}

// allowed says in words which texts a field accepts.
func allowed(field reflect.StructField) string {
	switch field.Type {
	case reflect.TypeFor[number]():
		return fmt.Sprintf("a whole number from %s to %s", field.Tag.Get("min"), field.Tag.Get("max"))
	case reflect.TypeFor[toggle]():
		return "true or false"
	case reflect.TypeFor[choice]():
		return "one of " + strings.Join(words(field.Tag), ", ")
	}
	return ""
}

// words returns what a choice chooses from.
func words(tag reflect.StructTag) []string {
	return strings.Split(tag.Get("oneof"), ",")
}
