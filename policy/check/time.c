/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/check/windows.h"

/* Reads exactly n digits at *p. */
static bool digits(const char **p, unsigned n, unsigned *ret)
{
	unsigned v = 0;

	for (; n > 0; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		v = v * 10 + (unsigned)(**p - '0');
	}
	*ret = v;
	return true;
}

static bool sign(const char **p, char c)
{
	if (**p != c)
		return false;
	(*p)++;
	return true;
}

static bool is_leap(unsigned y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static bool date_read(const char **p, uint64_t *ret)
{
	static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned y, m, d, days = 0;

	if (!digits(p, 4, &y) || !sign(p, '-') || !digits(p, 2, &m) || !sign(p, '-') || !digits(p, 2, &d))
		return false;
	if (y < 1970 || m < 1 || m > 12 || d < 1 || d > (unsigned)(lengths[m - 1] + (m == 2 && is_leap(y))))
		return false;
	for (unsigned i = 1970; i < y; i++)
		days += is_leap(i) ? 366 : 365;
	for (unsigned i = 1; i < m; i++)
		days += (unsigned)(lengths[i - 1] + (i == 2 && is_leap(y)));
	*ret = (uint64_t)(days + d - 1) * 86400;
	return true;
}

bool date_parse(const char *text, uint64_t *ret)
{
	return date_read(&text, ret) && *text == '\0';
}

bool time_parse(const char *text, uint64_t *ret)
{
	unsigned h, m, s = 0, oh = 0, om = 0;
	uint64_t day, offset;
	bool east;

	if (!date_read(&text, &day) || (*text != 'T' && *text != 't' && *text != ' '))
		return false;
	text++;
	if (!digits(&text, 2, &h) || !sign(&text, ':') || !digits(&text, 2, &m))
		return false;
	if (*text == ':' && (text++, !digits(&text, 2, &s)))
		return false;
	/* 24:00 is the end of the day. */
	if (m > 59 || s > 59 || h > 24 || (h == 24 && (m != 0 || s != 0)))
		return false;
	day += h * 3600u + m * 60u + s;
	if (*text == 'Z' || *text == 'z') {
		*ret = day;
		return text[1] == '\0';
	}
	east = *text == '+';
	if (!east && *text != '-')
		return false;
	text++;
	if (!digits(&text, 2, &oh) || !sign(&text, ':') || !digits(&text, 2, &om) || *text != '\0' || oh > 23 ||
	    om > 59)
		return false;
	offset = oh * 3600u + om * 60u;
	if (east && offset > day)
		return false;
	*ret = east ? day - offset : day + offset;
	return true;
}
