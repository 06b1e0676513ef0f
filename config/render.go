package config

import (
	"fmt"
	"io"
	"strings"
)

// WriteReport writes every variable with its meaning, default and effective value in this process's environment. Secrets
// are written as "set" or "not set". It returns what Load would return about the faults, after writing everything.
func WriteReport(w io.Writer) error {
	l, err := fromProcess()
	if err != nil {
		return err
	}
	if err := l.writeReport(w); err != nil {
		return err
	}
	_, err = l.result()
	return err
}

func (l *loader) writeReport(w io.Writer) error {
	var b strings.Builder
	for i, group := range grouped(Variables()) {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(group[0].Group + "\n")
		for _, v := range group {
			fmt.Fprintf(&b, "\n  %s = %s\n", v.Name, l.effective(v))
			for _, line := range wrap(v.sentences(), 96) {
				b.WriteString("      " + line + "\n")
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// effective returns the value that is used for the variable, or a word in its place.
func (l *loader) effective(v Variable) string {
	value := l.value(v.Name)
	if _, isSecret := value.Interface().(secret); isSecret {
		switch {
		case l.files[v.Name] != "":
			return "set, from " + v.Name + "_FILE"
		case value.String() != "":
			return "set"
		}
		return "not set"
	}
	if value.String() == "" {
		return "not set"
	}
	if mayHoldCredentials(value.String()) {
		return shown(value.String())
	}
	return value.String()
}

// sentences returns meaning, allowed values and default as one text.
func (v Variable) sentences() string {
	text := v.Meaning
	if v.Allowed != "" {
		text += " Allowed: " + v.Allowed + "."
	}
	if v.Default == "" {
		return text + " Default: none."
	}
	return text + " Default: " + v.Default + "."
}

// WriteMarkdown writes the table of variables as docs/configuration.md shows it.
func WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| variable | default | meaning |\n|---|---|---|\n")
	for _, v := range Variables() {
		standard := ""
		if v.Default != "" {
			standard = "`" + v.Default + "`"
		}
		meaning := v.Meaning
		if v.tag.Get("oneof") != "" {
			meaning += " One of `" + strings.Join(words(v.tag), "`, `") + "`."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, standard, strings.NewReplacer("|", `\|`, "*", `\*`).Replace(meaning))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteExample writes `.env.example`: every variable, commented out, with its meaning and default.
func WriteExample(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Every setting of Telltale, with its default. Made by: go run . config --format=env > .env.example\n" +
		"# Telltale reads the environment only; Docker Compose and the Taskfile take it from a copy of this file named .env.\n")
	for _, group := range grouped(Variables()) {
		fmt.Fprintf(&b, "\n# ---- %s ----\n", group[0].Group)
		for _, v := range group {
			b.WriteString("\n")
			for _, line := range wrap(v.sentences(), 112) {
				b.WriteString("# " + line + "\n")
			}
			fmt.Fprintf(&b, "#%s=%s\n", v.Name, v.Default)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// grouped cuts the variables where their heading changes.
func grouped(variables []Variable) [][]Variable {
	var groups [][]Variable
	for i, v := range variables {
		if i == 0 || v.Group != variables[i-1].Group {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], v)
	}
	return groups
}

// wrap breaks the text into lines of at most width bytes where words allow it.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
