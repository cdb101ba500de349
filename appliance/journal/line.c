/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of a record's line, a segment's name and the head, without any file access. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/sha256.h"
#include "appliance/journal/chain.h"

#define PREV_MARK ",\"prev\":\""
#define SEQ_MARK "{\"seq\":"

void journal_segment_name(uint64_t first, char out[48])
{
	snprintf(out, 48, "events-%020" PRIu64 ".log", first);
}

/* Reads a number in JSON's form: no sign, no leading zero. */
static const char *number(const char *p, const char *end, uint64_t *ret)
{
	const char *start = p;

	*ret = 0;
	while (p < end && isdigit((unsigned char)*p) && p - start < 20) {
		if (*ret > ((uint64_t)INT64_MAX - 9) / 10)
			return NULL;
		*ret = *ret * 10 + (uint64_t)(*p - '0');
		p++;
	}
	return p > start ? p : NULL;
}

bool journal_segment_parse(const char *name, uint64_t *ret)
{
	char as_ours[48];

	if (strncmp(name, "events-", 7) != 0 || number(name + 7, name + strlen(name), ret) == NULL || *ret == 0 ||
	    *ret > JOURNAL_SEQ_MOST)
		return false;
	/* Another way to write the same number is no valid name: the file would be listed, but
	 * could not be opened. */
	journal_segment_name(*ret, as_ours);
	return strcmp(name, as_ours) == 0;
}

enum journal_line journal_line_check(const char *line, size_t n, const uint8_t prev[32], uint8_t ret_hash[32],
				     uint64_t *ret_seq)
{
	/* Every line ends with ,"prev":"<64>" and ,"hash":"<64>"}. */
	const size_t hash_part = JOURNAL_TAIL - 1, prev_part = hash_part - 1;
	const char *end = line + n, *hash_at, *prev_at, *p;
	uint8_t said_prev[32], said[32];
	char *whole;
	size_t body;

	if (n < strlen(SEQ_MARK) + 1 + hash_part + prev_part || n > JOURNAL_LINE_MAX ||
	    memcmp(line, SEQ_MARK, strlen(SEQ_MARK)) != 0)
		return JOURNAL_LINE_FORM;
	hash_at = end - hash_part;
	prev_at = hash_at - prev_part;
	p = number(line + strlen(SEQ_MARK), prev_at, ret_seq);
	if (p == NULL || memcmp(hash_at, JOURNAL_HASH_MARK, strlen(JOURNAL_HASH_MARK)) != 0 ||
	    memcmp(end - 2, "\"}", 2) != 0 || memcmp(prev_at, PREV_MARK, strlen(PREV_MARK)) != 0 ||
	    hash_at[-1] != '"' || !hex_digits(hash_at + strlen(JOURNAL_HASH_MARK), said, sizeof(said)) ||
	    !hex_digits(prev_at + strlen(PREV_MARK), said_prev, sizeof(said_prev)))
		return JOURNAL_LINE_FORM;
	/* The hash covers the line as it was before the hash was added: a closing brace stood in
	 * its place. */
	body = (size_t)(hash_at - line);
	whole = malloc(body + 1);
	if (whole == NULL)
		return JOURNAL_LINE_FORM;
	memcpy(whole, line, body);
	whole[body] = '}';
	sha256_pair(said_prev, sizeof(said_prev), whole, body + 1, ret_hash);
	free(whole);
	if (memcmp(ret_hash, said, sizeof(said)) != 0)
		return JOURNAL_LINE_HASH;
	return memcmp(said_prev, prev, sizeof(said_prev)) == 0 ? JOURNAL_LINE_OK : JOURNAL_LINE_PREV;
}

bool journal_line_prev(const char *line, size_t n, uint8_t ret[32])
{
	const size_t hash_part = JOURNAL_TAIL - 1, prev_part = hash_part - 1;

	return n > hash_part + prev_part && hex_digits(line + n - hash_part - prev_part + strlen(PREV_MARK), ret, 32);
}

bool journal_head_parse(const char *text, size_t n, uint64_t *ret_seq, uint8_t ret_hash[32])
{
	const char *p = number(text, text + n, ret_seq);

	/* There is no record 0: a head with that number would accept any end of the log as
	 * complete. */
	return p != NULL && *ret_seq != 0 && *ret_seq <= JOURNAL_SEQ_MOST && (size_t)(text + n - p) >= 66 &&
	       p[0] == ' ' && hex_digits(p + 1, ret_hash, 32) && p[65] == '\n';
}
