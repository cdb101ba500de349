/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check/check.h"

#include <string.h>
#include <strings.h>

#include "appliance/base/duration.h"

/* ---- addresses ------------------------------------------------------------------------------- */

struct address_reader {
	struct arena *arena;
	bool network;
};

/* An address from 224.0.0.0 up belongs to no host, so it was meant as a mask. */
static bool is_mask(const struct addr_range *r)
{
	return r->lo.family == 4 && r->lo.b[0] >= 224;
}

static const char *read_address(void *ctx, const char *text)
{
	const struct address_reader *c = ctx;
	char net[2 * ADDR_TEXT + 2];
	struct addr_range r;
	bool stray = false;

	if (prefix_parse(text, &r, &stray) || span_parse(text, &r))
		return is_mask(&r) ? NULL : text;
	if (!stray || is_mask(&r))
		return NULL;
	addr_range_text(&r, net, sizeof(net));
	return c->network ? arena_strndup(c->arena, net, strlen(net))
			  : arena_strndup(c->arena, text, strcspn(text, "/"));
}

const char *meant_address(struct arena *a, bool network, const char *text, bool *ret_several)
{
	struct address_reader c = { a, network };
	const char *plain = meant_plain(a, text), *close = plain != NULL ? strchr(plain, ']') : NULL;

	/* "[2001:db8::]/48"; a port behind the bracket is no part of an address */
	if (close != NULL && *plain == '[' && (close[1] == '\0' || close[1] == '/'))
		text = arena_printf(a, "%.*s%s", (int)(close - plain - 1), plain + 1, close + 1);
	*ret_several = false;
	return text != NULL
		       ? meant_value(a, MEANT_ADDRESS, text, &(struct meant_reader){ read_address, &c }, ret_several)
		       : NULL;
}

/* ---- ports ----------------------------------------------------------------------------------- */

static const char *read_port(void *ctx, const char *text)
{
	const enum protocol *p = ctx;
	struct ir_port port;
	const struct transport *t = port_parse(text, &port);

	return t != NULL && (*p == PROTO_NONE || (protocol_info(*p)->transports & t->bit) != 0) ? text : NULL;
}

const char *meant_port(struct arena *a, enum protocol p, const char *text, bool *ret_several)
{
	return meant_value(a, MEANT_PORT, text, &(struct meant_reader){ read_port, &p }, ret_several);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static const char *read_number(void *ctx, const char *text)
{
	struct notation_mistake ignored;
	struct number_range r;

	return notation_read(ctx, text, &r, &ignored) ? text : NULL;
}

const char *meant_number(struct arena *a, const struct notation *n, const char *text, bool *ret_several)
{
	const char *plain = meant_plain(a, text);

	*ret_several = false;
	if (plain == NULL || (n->named && strchr(plain, ' ') != NULL && strpbrk(plain, ",;") == NULL))
		return NULL; /* a tag with a blank is one tag */
	return meant_value(a, MEANT_NUMBER, text, &(struct meant_reader){ read_number, (void *)(uintptr_t)n },
			   ret_several);
}

/* ---- functions and commands ------------------------------------------------------------------ */

static const char *read_function(void *ctx, const char *text)
{
	return function_by_name(ctx, text) != NULL ? text : NULL;
}

const char *meant_function(struct arena *a, const struct vocabulary *v, const char *text, bool *ret_several)
{
	return meant_value(a, MEANT_WORD, text, &(struct meant_reader){ read_function, (void *)(uintptr_t)v },
			   ret_several);
}

static const char *read_command(void *ctx, const char *text)
{
	(void)ctx;
	for (size_t i = 0; command_class_words[i] != NULL; i++)
		if (strcasecmp(command_class_words[i], text) == 0)
			return command_class_words[i];
	return NULL;
}

const char *meant_command(struct arena *a, const char *text, bool *ret_several)
{
	return meant_value(a, MEANT_WORD, text, &(struct meant_reader){ read_command, NULL }, ret_several);
}

/* ---- time ------------------------------------------------------------------------------------ */

static const char *read_span(void *ctx, const char *text)
{
	uint64_t ignored;

	(void)ctx;
	return duration_parse(text, UINT64_MAX, &ignored) ? text : NULL;
}

const char *meant_span(struct arena *a, const char *text)
{
	bool several;
	const char *value = meant_value(a, MEANT_SPAN, text, &(struct meant_reader){ read_span, NULL }, &several);

	return several ? NULL : value;
}

const char *meant_date(struct arena *a, const char *text, bool whole)
{
	const char *value = meant_when(a, text, whole);
	uint64_t ignored = 0;

	if (value == NULL || !(date_parse(value, &ignored) || (whole && time_parse(value, &ignored))))
		return NULL;
	return arena_printf(a, "\"%s\"", value);
}

/* ---- hints by the key alone ------------------------------------------------------------------ */

const char *meant_for_key(struct arena *a, const char *key, const char *text, bool *ret_several)
{
	*ret_several = false;
	if (strcmp(key, "ports") == 0)
		return meant_port(a, PROTO_NONE, text, ret_several);
	if (strcmp(key, "review_by") == 0 || strcmp(key, "support_until") == 0)
		return meant_date(a, text, false);
	if (strcmp(key, "until") == 0 || strcmp(key, "starts") == 0)
		return meant_date(a, text, true);
	if (strcmp(key, "commands") == 0)
		return meant_command(a, text, ret_several);
	if (strcmp(key, "networks") == 0)
		return meant_address(a, true, text, ret_several);
	if (strcmp(key, "addresses") == 0 || strcmp(key, "sources") == 0 || strcmp(key, "destinations") == 0)
		return meant_address(a, false, text, ret_several);
	return NULL;
}
