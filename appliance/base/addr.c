/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

size_t addr_len(uint8_t family)
{
	return family == 4 ? 4 : family == 6 ? 16 : 0;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, sizeof(a->b));
}

bool addr_parse(const char *text, struct addr *ret)
{
	*ret = (struct addr){ 0 };
	if (inet_pton(AF_INET, text, ret->b) == 1) {
		ret->family = 4;
		return true;
	}
	*ret = (struct addr){ 0 };
	if (inet_pton(AF_INET6, text, ret->b) == 1) {
		ret->family = 6;
		return true;
	}
	*ret = (struct addr){ 0 };
	return false;
}

/* The ends of the prefix of `a`: all bits behind the length cleared in *lo, set in *hi. */
static void prefix_ends(const struct addr *a, unsigned len, struct addr_range *ret)
{
	size_t n = addr_len(a->family);

	ret->lo = *a;
	ret->hi = *a;
	for (size_t i = 0; i < n; i++) {
		unsigned first = (unsigned)i * 8;
		unsigned keep = len <= first ? 0 : len - first >= 8 ? 8 : len - first;
		uint8_t host = (uint8_t)(0xffu >> keep);

		ret->lo.b[i] = (uint8_t)(ret->lo.b[i] & ~host);
		ret->hi.b[i] = (uint8_t)(ret->hi.b[i] | host);
	}
}

/* Digits only, no leading zero, at most `max`. */
static bool length_parse(const char *s, unsigned max, unsigned *ret)
{
	unsigned v = 0;

	if (*s == '\0' || (*s == '0' && s[1] != '\0'))
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (unsigned)(*s - '0');
		if (v > max)
			return false;
	}
	*ret = v;
	return true;
}

bool prefix_parse(const char *text, struct addr_range *ret, bool *stray)
{
	const char *slash = strchr(text, '/');
	char head[ADDR_TEXT];
	struct addr a;
	unsigned len, max;

	*stray = false;
	*ret = (struct addr_range){ 0 };
	if (slash == NULL) {
		if (!addr_parse(text, &a))
			return false;
		ret->lo = a;
		ret->hi = a;
		return true;
	}
	if ((size_t)(slash - text) >= sizeof(head))
		return false;
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	if (!addr_parse(head, &a))
		return false;
	max = a.family == 4 ? 32 : 128;
	if (!length_parse(slash + 1, max, &len))
		return false;
	prefix_ends(&a, len, ret);
	*stray = addr_cmp(&a, &ret->lo) != 0;
	return !*stray;
}

bool span_parse(const char *text, struct addr_range *ret)
{
	size_t n = strcspn(text, "-");
	char head[ADDR_TEXT];

	if (text[n] == '\0' || n >= sizeof(head))
		return false;
	memcpy(head, text, n);
	head[n] = '\0';
	return addr_parse(head, &ret->lo) && addr_parse(text + n + 1, &ret->hi) && ret->lo.family == ret->hi.family &&
	       addr_cmp(&ret->lo, &ret->hi) <= 0;
}

void addr_text(const struct addr *a, char out[ADDR_TEXT])
{
	int family = a->family == 4 ? AF_INET : AF_INET6;

	if (addr_len(a->family) == 0 || inet_ntop(family, a->b, out, ADDR_TEXT) == NULL)
		snprintf(out, ADDR_TEXT, "-");
}

bool addr_range_is_prefix(const struct addr_range *r, unsigned *ret_len)
{
	struct addr_range whole;
	unsigned len = 0, max = (unsigned)addr_len(r->lo.family) * 8;

	if (max == 0 || r->lo.family != r->hi.family)
		return false;
	while (len < max && ((r->lo.b[len / 8] ^ r->hi.b[len / 8]) & (0x80u >> (len % 8))) == 0)
		len++;
	prefix_ends(&r->lo, len, &whole);
	if (addr_cmp(&whole.lo, &r->lo) != 0 || addr_cmp(&whole.hi, &r->hi) != 0)
		return false;
	*ret_len = len;
	return true;
}

void addr_range_text(const struct addr_range *r, char *out, size_t size)
{
	char lo[ADDR_TEXT], hi[ADDR_TEXT];
	unsigned len;

	addr_text(&r->lo, lo);
	if (addr_cmp(&r->lo, &r->hi) == 0) {
		snprintf(out, size, "%s", lo);
	} else if (addr_range_is_prefix(r, &len)) {
		snprintf(out, size, "%s/%u", lo, len);
	} else {
		addr_text(&r->hi, hi);
		snprintf(out, size, "%s-%s", lo, hi);
	}
}

bool addr_range_parse(const char *text, struct addr_range *ret)
{
	const char *dash = strchr(text, '-');
	char lo[ADDR_TEXT];
	bool stray;

	if (dash == NULL)
		return prefix_parse(text, ret, &stray);
	if ((size_t)(dash - text) >= sizeof(lo))
		return false;
	memcpy(lo, text, (size_t)(dash - text));
	lo[dash - text] = '\0';
	return addr_parse(lo, &ret->lo) && addr_parse(dash + 1, &ret->hi) && ret->lo.family == ret->hi.family &&
	       addr_cmp(&ret->lo, &ret->hi) <= 0;
}

bool addr_next(const struct addr *a, struct addr *ret)
{
	*ret = *a;
	for (size_t i = addr_len(a->family); i-- > 0;)
		if (++ret->b[i] != 0)
			return true;
	return false;
}

bool addr_prev(const struct addr *a, struct addr *ret)
{
	*ret = *a;
	for (size_t i = addr_len(a->family); i-- > 0;)
		if (ret->b[i]-- != 0)
			return true;
	return false;
}

bool addr_is_private(const struct addr *a)
{
	static const char *const nets[] = { "10.0.0.0/8",    "172.16.0.0/12", "192.168.0.0/16",
					    "100.64.0.0/10", "127.0.0.0/8",   "169.254.0.0/16",
					    "fc00::/7",	     "fe80::/10",     "::1/128" };
	struct addr_range r;
	bool stray;

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++)
		if (prefix_parse(nets[i], &r, &stray) && addr_in(a, &r))
			return true;
	return false;
}

bool addr_in(const struct addr *a, const struct addr_range *r)
{
	return addr_cmp(&r->lo, a) <= 0 && addr_cmp(a, &r->hi) <= 0;
}

bool addr_range_meet(const struct addr_range *a, const struct addr_range *b, struct addr_range *ret)
{
	ret->lo = addr_cmp(&a->lo, &b->lo) >= 0 ? a->lo : b->lo;
	ret->hi = addr_cmp(&a->hi, &b->hi) <= 0 ? a->hi : b->hi;
	return a->lo.family == b->lo.family && addr_cmp(&ret->lo, &ret->hi) <= 0;
}

size_t addr_range_minus(const struct addr_range *a, const struct addr_range *b, struct addr_range ret[2])
{
	struct addr_range both;
	size_t n = 0;

	if (!addr_range_meet(a, b, &both)) {
		ret[0] = *a;
		return 1;
	}
	/* The addresses before and after `both` exist, because they are in `a`. */
	if (addr_cmp(&a->lo, &both.lo) < 0) {
		ret[n].lo = a->lo;
		addr_prev(&both.lo, &ret[n++].hi);
	}
	if (addr_cmp(&both.hi, &a->hi) < 0) {
		addr_next(&both.hi, &ret[n].lo);
		ret[n++].hi = a->hi;
	}
	return n;
}

bool addr_same_host(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->b, b->b, a->family == 6 ? 8 : addr_len(a->family)) == 0;
}
