/* SPDX-License-Identifier: Apache-2.0 */
/* Recognises HTTP and RTSP by the first line: method, target and version, or version and status. */
#include "dpi/prefix.h"

#define METHOD_MAX 32u /* characters; the longest that is registered has 17 */

/* A token (RFC 9110, 5.6.2). */
static bool is_token(uint32_t c)
{
	return (c >= '0' && c <= '9') || ((c | 32u) >= 'a' && (c | 32u) <= 'z') ||
	       (c > 0x20 && c < 0x7f && strchr("!#$%&'*+-.^_`|~", (int)c) != NULL);
}

/* Reads a method and the blank after it. *ret_connect: it is CONNECT, the only method with a host
 * as its target. */
static bool may_be_method(struct prefix *p, bool *ret_connect)
{
	struct prefix connect = *p;
	unsigned n = 0;
	uint32_t c;

	*ret_connect = may_be_word(&connect, "CONNECT ");
	while ((c = next_byte(p)) != ' ' && !p->more)
		if (!is_token(c) || ++n > METHOD_MAX)
			return false;
	return p->more || n > 0;
}

/* Reads the scheme of an address (RFC 9110, 4.2; RFC 7826, 4.2). A letter may follow it, as in
 * https and rtspu. */
static bool may_be_scheme(struct prefix *p, const char *scheme)
{
	uint32_t c;

	if (!may_be_verb(p, scheme))
		return false;
	c = next_byte(p);
	return p->more || c == ':' || (c | 32u) == 's' || (c | 32u) == 'u';
}

/* Reads a path, an asterisk followed by the version, or an absolute address; after CONNECT a host
 * (RFC 9112, 3.2). */
static bool http_target(struct prefix *p, bool connect)
{
	struct prefix path = *p, star = *p, absolute = *p, host = *p;

	if (connect) {
		uint32_t c = next_byte(&host);

		*p = host;
		return host.more || c == '[' || (c >= '0' && c <= '9') || ((c | 32u) >= 'a' && (c | 32u) <= 'z');
	}
	if (may_be(&path, '/', '/')) {
		*p = path;
		return true;
	}
	if (may_be_word(&star, "* HTTP/")) {
		*p = star;
		return true;
	}
	*p = absolute;
	return may_be_scheme(p, "HTTP");
}

/* The first frame that an end of HTTP/2 sends: SETTINGS with whole settings, for the connection
 * (RFC 9113, 3.4 and 6.5). */
static bool may_be_settings(struct prefix *p)
{
	uint32_t length;

	if (!may_be(p, 0, 0))
		return false;
	length = next_number(p, 2);
	if (!p->more && (length % 6 != 0 || length > 6 * 64u))
		return false;
	return may_be(p, 4, 4) && may_be_zeros(p, 5);
}

/* RFC 9112, 3 and 4; HTTP/2 without TLS begins with a line of the same form (RFC 9113, 3.4).
 * recognise_head reads the rest of the header. */
enum recognition recognise_http(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head }, settings = { .b = head };
	bool connect;

	/* servers skip an empty line before a request (RFC 9112, 2.2) */
	if (dir == DIR_C2S && head.p[0] == '\r' && !may_be_word(&p, "\r\n"))
		return RECOGNISE_NOT;
	if (dir == DIR_C2S)
		return may_be_method(&p, &connect) && http_target(&p, connect) ? so_far(&p) : RECOGNISE_NOT;
	if (may_be_word(&p, "HTTP/1.") && may_be(&p, '0', '1'))
		return so_far(&p);
	return may_be_settings(&settings) ? so_far(&settings) : RECOGNISE_NOT;
}

/* RFC 2326, 6 and 7; RFC 7826, 7 and 8: the target is an rtsp address, or an asterisk followed by
 * the version. */
enum recognition recognise_rtsp(enum direction dir, struct bytes head)
{
	struct prefix p = { .b = head }, star;
	bool connect;

	if (dir == DIR_S2C)
		return may_be_word(&p, "RTSP/") && may_be(&p, '1', '2') && may_be(&p, '.', '.') ? so_far(&p)
												: RECOGNISE_NOT;
	if (!may_be_method(&p, &connect))
		return RECOGNISE_NOT;
	star = p;
	if (may_be_word(&star, "* RTSP/"))
		return so_far(&star);
	return may_be_scheme(&p, "RTSP") ? so_far(&p) : RECOGNISE_NOT;
}
