/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/options.h"

#include <stdio.h>
#include <string.h>

#include "appliance/base/diag.h"

const struct cli_option cli_globals[GLOBAL_COUNT + 1] = {
	[GLOBAL_JSON] = { "--json", 0, NULL, M_OPT_JSON },   [GLOBAL_LANG] = { "--lang", 0, "ja|en", M_OPT_LANG },
	[GLOBAL_UTC] = { "--utc", 0, NULL, M_OPT_UTC },	     [GLOBAL_SOCKET] = { "--socket", 0, "PATH", M_OPT_SOCKET },
	[GLOBAL_HELP] = { "--help", 'h', NULL, M_OPT_HELP }, [GLOBAL_VERSION] = { "--version", 0, NULL, M_OPT_VERSION },
};

/* The result of reading one option word. */
enum took { TOOK_NOT_MINE, TOOK_ONE, TOOK_TWO, TOOK_NO_VALUE, TOOK_EXTRA_VALUE };

/* The option that this word names, with or without "=value"; NULL: none. */
static const struct cli_option *option_of(const struct cli_option *options, const char *word)
{
	for (const struct cli_option *o = options; o->name != NULL; o++) {
		size_t len = strlen(o->name);

		if (strncmp(word, o->name, len) == 0 && (word[len] == '\0' || word[len] == '='))
			return o;
	}
	return NULL;
}

/* "--to --dry-run": the second word is an option, not the value of the first. */
static bool is_option(const struct cli_verb *v, const char *word)
{
	return (v != NULL && option_of(v->options, word) != NULL) || option_of(cli_globals, word) != NULL;
}

/* Whether the value fits the option's description: a number, or one of several words. */
static bool value_fits(const struct cli_option *o, const char *value)
{
	static const char *const numbers[] = { "SECONDS", "NUMBER", "N", "SEQ" };
	size_t len = strlen(value);

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(o->value, numbers[i]) == 0)
			return len > 0 && strspn(value, "0123456789") == len;
	if (strchr(o->value, '|') == NULL)
		return true;
	for (const char *word = o->value; word != NULL; word = strchr(word, '|') != NULL ? strchr(word, '|') + 1 : NULL)
		if (strncmp(word, value, len) == 0 && (word[len] == '\0' || word[len] == '|'))
			return true;
	return false;
}

/* Reads a word (and the next one as its value) by one option table. */
static enum took take_option(const struct cli_option *options, const char *word, const char *next, const char **values)
{
	for (size_t i = 0; options[i].name != NULL; i++) {
		size_t len = strlen(options[i].name);
		const char *attached = NULL;

		if (options[i].letter != 0 && word[0] == '-' && word[1] == options[i].letter) {
			if (word[2] != '\0' && options[i].value == NULL)
				continue;
			attached = word[2] != '\0' ? word + 2 : NULL;
		} else if (strncmp(word, options[i].name, len) == 0 && (word[len] == '\0' || word[len] == '=')) {
			attached = word[len] == '=' ? word + len + 1 : NULL;
		} else {
			continue;
		}
		if (options[i].value == NULL) {
			if (attached != NULL)
				return TOOK_EXTRA_VALUE;
			values[i] = "";
			return TOOK_ONE;
		}
		if (attached != NULL) {
			values[i] = attached;
			return TOOK_ONE;
		}
		if (next == NULL)
			return TOOK_NO_VALUE;
		values[i] = next;
		return TOOK_TWO;
	}
	return TOOK_NOT_MINE;
}

static bool problem_set(struct cli_problem *p, enum message m, const char *word, enum message with_nearest,
			const char *nearest, const struct cli_verb *v)
{
	*p = (struct cli_problem){
		.message = m, .word = word, .with_nearest = with_nearest, .nearest = nearest, .verb = v
	};
	return false;
}

/* "--cofirm" -> "--confirm": the nearest among the verb's and the global options, by the part
 * before '='. */
static const char *nearest_option(const struct cli_verb *v, const char *word)
{
	const char *known[CLI_OPTIONS + GLOBAL_COUNT], *near;
	char bare[64];
	size_t n = 0, len;

	word += strspn(word, "-"); /* the leading dashes do not count as a similarity */
	len = strcspn(word, "=");
	if (len >= sizeof(bare))
		return NULL;
	memcpy(bare, word, len);
	bare[len] = '\0';
	for (const struct cli_option *o = v != NULL ? v->options : NULL; o != NULL && o->name != NULL; o++)
		known[n++] = o->name + 2;
	for (size_t i = 0; i < GLOBAL_COUNT; i++)
		known[n++] = cli_globals[i].name + 2;
	near = word_nearest(bare, known, n);
	return near != NULL ? near - 2 : NULL;
}

/* The option of this table that has a value of another form than its description; NULL: none. */
static const struct cli_option *unfit(const struct cli_option *options, const char *const *values, const char **ret)
{
	for (size_t i = 0; options[i].name != NULL; i++)
		if (values[i] != NULL && options[i].value != NULL && !value_fits(&options[i], values[i])) {
			*ret = values[i];
			return &options[i];
		}
	return NULL;
}

/* Whether an option has taken the missing operand as its value. */
static bool taken_operand(const struct cli_line *line, struct cli_problem *problem)
{
	const struct cli_verb *v = line->args.verb;
	const char *value = NULL;
	const struct cli_option *o = unfit(v->options, line->args.values, &value);

	if (o == NULL)
		o = unfit(cli_globals, line->globals, &value);
	if (o == NULL)
		return false;
	problem_set(problem, M_CLI_VALUE_UNFIT, o->name, M_CLI_VALUE_UNFIT, value, v);
	problem->wanted = o->value;
	return true;
}

static const char *nearest_verb(const char *word)
{
	const char *known[64];
	size_t n = 0;

	for (size_t i = 0; i < cli_n_verbs && n < 64; i++)
		known[n++] = cli_verbs[i].name;
	return word_nearest(word, known, n);
}

/* The verb of this word or, for two-word verbs, of this and the next; *used: number of words. */
static const struct cli_verb *find_verb(const char *word, const char *next, int *used, const char **ret_under)
{
	*ret_under = NULL;
	for (const struct cli_verb *v = cli_verbs; v < cli_verbs + cli_n_verbs; v++) {
		if (strcmp(v->name, word) != 0)
			continue;
		*used = 1;
		if (v->under == NULL)
			return v;
		*ret_under = v->under;
		*used = 2;
		if (next != NULL && strcmp(v->under, next) == 0)
			return v;
	}
	return NULL;
}

static bool under_missing(struct cli_problem *p, const char *word)
{
	size_t n = 0;

	problem_set(p, M_CLI_UNDER, word, M_CLI_UNDER_NEAR, NULL, NULL);
	for (size_t i = 0; i < cli_n_verbs && n < sizeof(p->unders); i++)
		if (strcmp(cli_verbs[i].name, word) == 0)
			n += (size_t)snprintf(p->unders + n, sizeof(p->unders) - n, "%s%s", n > 0 ? ", " : "",
					      cli_verbs[i].under);
	p->nearest = p->unders;
	return false;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* False: too many. */
static bool add_every(const struct cli_verb *v, const char *word, struct cli_args *a)
{
	const struct cli_option *o = option_of(v->options, word);
	size_t i = o != NULL ? (size_t)(o - v->options) : 0;

	if (o == NULL || o->value == NULL)
		return true;
	if (a->n_every == CLI_EVERY)
		return false;
	a->every[a->n_every].option = i;
	a->every[a->n_every++].value = a->values[i];
	return true;
}

bool cli_read_line(int argc, char **argv, struct cli_line *ret, struct cli_problem *problem)
{
	bool operands_only = false;

	memset(ret, 0, sizeof(*ret));
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL, *under;
		const struct cli_verb *v = ret->args.verb;
		enum took took = TOOK_NOT_MINE;
		int used = 0;

		if (!operands_only && strcmp(word, "--") == 0) {
			operands_only = true;
			continue;
		}
		if (!operands_only && word[0] == '-' && word[1] != '\0') {
			if (v != NULL) {
				took = take_option(v->options, word, next, ret->args.values);
				if ((took == TOOK_ONE || took == TOOK_TWO) && !add_every(v, word, &ret->args))
					return problem_set(problem, M_CLI_TOO_OFTEN, word, M_CLI_TOO_OFTEN, NULL, v);
			}
			if (took == TOOK_NOT_MINE)
				took = take_option(cli_globals, word, next, ret->globals);
			if (took == TOOK_TWO && next != NULL && is_option(v, next))
				took = TOOK_NO_VALUE;
			if (took == TOOK_NO_VALUE)
				return problem_set(problem, M_CLI_NO_VALUE, word, M_CLI_NO_VALUE, NULL, v);
			if (took == TOOK_EXTRA_VALUE)
				return problem_set(problem, M_CLI_EXTRA_VALUE, word, M_CLI_EXTRA_VALUE, NULL, v);
			if (took == TOOK_NOT_MINE)
				return problem_set(problem, M_CLI_UNKNOWN_OPTION, word, M_CLI_UNKNOWN_OPTION_NEAR,
						   nearest_option(v, word), v);
			if (took == TOOK_TWO)
				i++;
			continue;
		}
		if (v == NULL) {
			ret->args.verb = find_verb(word, next, &used, &under);
			if (ret->args.verb == NULL && under != NULL &&
			    (next == NULL ? ret->globals[GLOBAL_HELP] != NULL : is_help(next))) {
				/* "--help journal", "journal --help" */
				ret->globals[GLOBAL_HELP] = "";
				ret->above = word;
				return true;
			}
			if (ret->args.verb == NULL && under != NULL)
				return under_missing(problem, word);
			if (ret->args.verb == NULL)
				return problem_set(problem, M_CLI_UNKNOWN_VERB, word, M_CLI_UNKNOWN_VERB_NEAR,
						   nearest_verb(word), NULL);
			i += used - 1;
			continue;
		}
		if (ret->args.n_operands >= v->max_operands || ret->args.n_operands >= CLI_OPERANDS)
			return problem_set(problem, M_CLI_EXTRA_OPERAND, word, M_CLI_EXTRA_OPERAND, NULL, v);
		ret->args.operands[ret->args.n_operands++] = word;
	}
	if (ret->args.verb != NULL && ret->globals[GLOBAL_HELP] == NULL &&
	    ret->args.n_operands < ret->args.verb->min_operands)
		return !taken_operand(ret, problem) &&
		       problem_set(problem, M_CLI_MISSING_OPERAND, ret->args.verb->operands, M_CLI_MISSING_OPERAND,
				   NULL, ret->args.verb);
	return true;
}

void cli_read_globals(int argc, char **argv, struct cli_line *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			return;
		if (take_option(cli_globals, argv[i], i + 1 < argc ? argv[i + 1] : NULL, ret->globals) == TOOK_TWO)
			i++;
	}
}
