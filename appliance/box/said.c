/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/said.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "appliance/base/clock.h"

#define SECOND 1000000000ull

void said_line(struct bytes *b, const char *key, char out[SAID_LINE])
{
	size_t n = 0;
	uint8_t c = 0;

	out[0] = '\0';
	for (; *key != '\0'; key++)
		if (!bytes_u8(b, &c) || c != (uint8_t)*key)
			b->failed = true;
	if (!bytes_u8(b, &c) || c != ' ')
		b->failed = true;
	while (bytes_u8(b, &c) && c != '\n') {
		if (c < ' ' || c > '~' || n == SAID_LINE - 1)
			b->failed = true;
		else
			out[n++] = (char)c;
	}
	out[b->failed ? 0 : n] = '\0';
}

int64_t said_number(struct bytes *b, const char *key)
{
	char text[SAID_LINE] = { 0 };
	size_t n;
	int64_t v = 0;

	said_line(b, key, text);
	if (b->failed || strcmp(text, "-") == 0)
		return -1;
	n = strspn(text, "0123456789");
	b->failed = n == 0 || n > 9 ||
		    (text[n] != '\0' && (text[n] != '.' || strspn(text + n + 1, "0123456789") != strlen(text + n + 1)));
	for (size_t i = 0; !b->failed && i < n; i++)
		v = v * 10 + (text[i] - '0');
	return b->failed ? -1 : v;
}

uint64_t said_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec;
}

/* The folder is another user's, who may have put anything there. */
size_t said_file(const char *path, uint8_t *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	ssize_t n = -1;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		n = pread(fd, out, size, 0);
	close(fd);
	/* One that is full is longer than what we write. */
	return n < 0 || (size_t)n >= size ? 0 : (size_t)n;
}

json_t *said_time(uint64_t s)
{
	uint64_t ago = said_now_s() > s ? said_now_s() - s : 0;

	return json_time(clock_wall_ns() - ago * SECOND);
}
