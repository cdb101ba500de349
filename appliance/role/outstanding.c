/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/role/outstanding.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "appliance/wire/lane.h"

#define LINE_MAX_BYTES 80u
#define TEXT_BYTES (LANE_COUNT * LANE_SLOTS * LINE_MAX_BYTES)
#define COLUMNS 9u

/* Parses a line of /proc: queue, port id, outstanding, copy mode, copy range, dropped (full),
 * dropped (user), last id, 1. */
static bool line_parse(struct bytes line, struct queue_state *ret)
{
	uint64_t v[COLUMNS] = { 0 };
	size_t n = 0;
	bool digits = false;
	uint8_t c;

	while (bytes_u8(&line, &c)) {
		if (c >= '0' && c <= '9') {
			if (!digits && ++n > COLUMNS)
				return false;
			digits = true;
			v[n - 1] = v[n - 1] * 10u + (uint64_t)(c - '0');
			if (v[n - 1] > UINT32_MAX)
				return false;
		} else if (c == ' ') {
			digits = false;
		} else if (c != '-') { /* a port id may be printed as negative */
			return false;
		}
	}
	if (n != COLUMNS || v[0] > UINT16_MAX)
		return false;
	*ret = (struct queue_state){ .queue = (uint16_t)v[0],
				     .outstanding = (uint32_t)v[2],
				     .dropped_full = (uint32_t)v[5],
				     .dropped_user = (uint32_t)v[6],
				     .last_id = (uint32_t)v[7] };
	return true;
}

size_t outstanding_parse(struct bytes text, struct queue_state *ret, size_t max)
{
	size_t n = 0;

	while (text.left > 0 && n < max) {
		size_t len = 0;
		struct bytes line;

		while (len < text.left && text.p[len] != '\n')
			len++;
		bytes_take(&text, len, &line);
		if (line_parse(line, &ret[n]))
			n++;
		if (text.left > 0)
			bytes_skip(&text, 1);
	}
	return n;
}

int outstanding_read(int fd, struct queue_state *ret, size_t max)
{
	/* static, because there is one reader and this path must not allocate */
	static uint8_t text[TEXT_BYTES];
	size_t len = 0;

	while (len < sizeof(text)) {
		ssize_t n = pread(fd, text + len, sizeof(text) - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (int)outstanding_parse(bytes_of(text, len), ret, max);
}
