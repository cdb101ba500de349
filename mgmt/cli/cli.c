/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/duration.h"
#include "mgmt/cli/screen/wrap.h"

int cli_fail_text(struct cli *c, enum cli_status status, const char *text)
{
	char *safe;

	if (c->json) {
		json_line(c->out, json_pack("{s:o,s:i}", "error", json_text(text), "status", (int)status));
		return status;
	}
	safe = text_safe(text);
	fflush(c->out);
	fprintf(c->err, "sekisho: %s\n", safe != NULL ? safe : "");
	free(safe);
	return status;
}

bool cli_silence(const struct cli *c, struct cli *ret)
{
	*ret = *c;
	ret->json = false;
	ret->out = ret->err = fopen("/dev/null", "we");
	return ret->out != NULL;
}

int cli_fail(struct cli *c, enum cli_status status, enum message m, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, m);
	message_vtext(text, sizeof(text), c->lang, m, ap);
	va_end(ap);
	return cli_fail_text(c, status, text);
}

int cli_fail_file(struct cli *c, enum cli_status status, const char *name, int code)
{
	const char *why;

	switch (code) {
	case ENOENT:
		why = message_format(M_FILE_ABSENT, c->lang);
		break;
	case ENOTDIR:
		why = message_format(M_FILE_NO_FOLDER, c->lang);
		break;
	case EISDIR:
		why = message_format(M_FILE_FOLDER, c->lang);
		break;
	case EACCES:
	case EPERM:
		why = message_format(M_FILE_NO_RIGHT, c->lang);
		break;
	case ENOSPC:
		why = message_format(M_FILE_FULL, c->lang);
		break;
	default:
		why = strerror(code);
	}
	return cli_fail(c, status, M_CLI_FILE, name, why);
}

void cli_usage(const struct cli_verb *v, char *out, size_t size)
{
	snprintf(out, size, "sekisho %s%s%s%s%s%s", v->name, v->under != NULL ? " " : "",
		 v->under != NULL ? v->under : "", v->options->name != NULL ? " [OPTION...]" : "",
		 v->operands[0] != '\0' ? " " : "", v->operands);
}

void cli_see(struct cli *c, const struct cli_verb *v)
{
	char usage[160];

	if (c->json)
		return;
	cli_usage(v, usage, sizeof(usage));
	message_print(c->err, c->lang, M_CLI_SEE_VERB, usage, v->name, v->under != NULL ? " " : "",
		      v->under != NULL ? v->under : "");
}

bool cli_number(const char *text, unsigned long long max, unsigned long long *ret)
{
	unsigned long long v = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (*text < '0' || *text > '9' || v > (max - digit) / 10 || max < digit)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

bool cli_seconds(const char *text, unsigned long long max, unsigned long long *ret)
{
	uint64_t span;

	if (!duration_parse(text, max, &span))
		return cli_number(text, max, ret);
	*ret = span;
	return true;
}
