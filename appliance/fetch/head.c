/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/fetch/fetch.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define LENGTH_DIGITS 15u /* up to a petabyte, which is above every limit; sums cannot overflow */

/* Takes the next line without its end. False: there is none, or it has control characters other
 * than a tab. */
static bool line_take(struct bytes *b, struct bytes *ret)
{
	const uint8_t *end = b->left > 0 ? memmem(b->p, b->left, "\r\n", 2) : NULL;

	if (end == NULL || !bytes_take(b, (size_t)(end - b->p), ret) || !bytes_skip(b, 2))
		return false;
	for (size_t i = 0; i < ret->left; i++)
		if ((ret->p[i] < 0x20 && ret->p[i] != '\t') || ret->p[i] == 0x7f)
			return false;
	return true;
}

/* The status code's three digits in the first line; NULL: it is no status line. */
static const uint8_t *status_digits(struct bytes line)
{
	const uint8_t *p;

	if (!bytes_starts(&line, "HTTP/1.", 7) || !bytes_skip(&line, 7) || line.left < 5 ||
	    (line.p[0] != '0' && line.p[0] != '1') || line.p[1] != ' ')
		return NULL;
	bytes_skip(&line, 2);
	p = bytes_advance(&line, 3);
	return p == NULL || (line.left > 0 && line.p[0] != ' ') ? NULL : p;
}

static enum fetch_end status(struct bytes line)
{
	const uint8_t *p = status_digits(line);

	if (p == NULL)
		return FETCH_ANSWER;
	if (memcmp(p, "200", 3) == 0)
		return FETCH_DONE;
	if (memcmp(p, "404", 3) == 0)
		return FETCH_ABSENT;
	return p[0] == '3' ? FETCH_ELSEWHERE : FETCH_ANSWER;
}

enum fetch_end fetch_stored(struct bytes b)
{
	static const struct {
		const char *digits;
		enum fetch_end end;
	} ends[] = { { "200", FETCH_DONE },   { "201", FETCH_DONE },   { "204", FETCH_DONE },
		     { "401", FETCH_DENIED }, { "403", FETCH_DENIED }, { "404", FETCH_ABSENT },
		     { "409", FETCH_ABSENT }, { "413", FETCH_FULL },   { "507", FETCH_FULL } };
	const uint8_t *p;
	struct bytes line;

	if (b.left < 2 || memmem(b.p, b.left, "\r\n", 2) == NULL)
		return b.left < FETCH_HEAD_MOST ? FETCH_MORE : FETCH_ANSWER;
	p = line_take(&b, &line) ? status_digits(line) : NULL;
	for (size_t i = 0; p != NULL && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (memcmp(p, ends[i].digits, 3) == 0)
			return ends[i].end;
	return p != NULL && p[0] == '3' ? FETCH_ELSEWHERE : FETCH_ANSWER;
}

static bool name_is(struct bytes name, const char *what)
{
	return name.left == strlen(what) && strncasecmp((const char *)name.p, what, name.left) == 0;
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool read_number(struct bytes v, uint64_t *ret)
{
	uint64_t n = 0;

	while (v.left > 0 && blank(v.p[0]))
		bytes_skip(&v, 1);
	while (v.left > 0 && blank(v.p[v.left - 1]))
		v.left--;
	if (v.left == 0 || v.left > LENGTH_DIGITS)
		return false;
	for (size_t i = 0; i < v.left; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(v.p[i] - '0');
	}
	*ret = n;
	return true;
}

/* Reads one field of the header. False: the answer is not accepted because of it. */
static bool field(struct bytes line, bool *has_length, uint64_t *length)
{
	const uint8_t *colon = memchr(line.p, ':', line.left);
	struct bytes name;

	/* A line that begins with a space would continue the line before. Such a field is refused,
	 * because not all readers know that form. */
	if (colon == NULL || colon == line.p || blank(line.p[0]) ||
	    !bytes_take(&line, (size_t)(colon - line.p), &name) || !bytes_skip(&line, 1) ||
	    blank(name.p[name.left - 1]))
		return false;
	if (name_is(name, "Transfer-Encoding") || name_is(name, "Content-Encoding") || name_is(name, "Content-Range"))
		return false;
	if (!name_is(name, "Content-Length"))
		return true;
	if (*has_length)
		return false;
	*has_length = true;
	return read_number(line, length);
}

enum fetch_end fetch_head(struct bytes b, size_t *ret_head, uint64_t *ret_length)
{
	const uint8_t *end = b.left > 0 ? memmem(b.p, b.left, "\r\n\r\n", 4) : NULL;
	bool has_length = false;
	struct bytes head, line;
	enum fetch_end r;

	*ret_head = 0;
	*ret_length = 0;
	if (end == NULL)
		return b.left < FETCH_HEAD_MOST ? FETCH_MORE : FETCH_ANSWER;
	if ((size_t)(end - b.p) + 4 > FETCH_HEAD_MOST || !bytes_take(&b, (size_t)(end - b.p) + 2, &head) ||
	    !line_take(&head, &line))
		return FETCH_ANSWER;
	*ret_head = (size_t)(end - line.p) + 4;
	r = status(line);
	while (r == FETCH_DONE && head.left > 0)
		if (!line_take(&head, &line) || line.left == 0 || !field(line, &has_length, ret_length))
			r = FETCH_ANSWER;
	return r != FETCH_DONE ? r : has_length ? FETCH_DONE : FETCH_ANSWER;
}
