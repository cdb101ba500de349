/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/box/reverse_path.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELD "IPReversePathFilter"
#define GROUP "TcpExt:"
#define TEXT_MAX 32768u

/* Lines come in pairs: names, then as many numbers. */
uint64_t reverse_path_in(const char *text)
{
	const char *names = strstr(text, GROUP), *end, *at, *numbers;
	size_t n = 0;

	end = names == NULL ? NULL : strchr(names, '\n');
	at = names == NULL ? NULL : strstr(names, " " FIELD);
	if (end == NULL || at == NULL || at > end || strncmp(end + 1, GROUP, strlen(GROUP)) != 0)
		return 0;
	for (const char *p = names; p <= at; p++)
		n += *p == ' ';
	numbers = end + 1;
	end = strchr(numbers, '\n');
	for (; n > 0 && numbers != NULL; n--)
		numbers = strchr(numbers + 1, ' ');
	return numbers == NULL || (end != NULL && numbers > end) ? 0 : strtoull(numbers, NULL, 10);
}

int reverse_path_open(void)
{
	return open("/proc/thread-self/net/netstat", O_RDONLY | O_CLOEXEC);
}

uint64_t reverse_path_refused(int fd)
{
	char *text = malloc(TEXT_MAX);
	size_t have = 0;
	ssize_t n = 1;
	uint64_t refused = 0;

	if (text == NULL)
		return 0;
	while (fd >= 0 && have < TEXT_MAX - 1u && n > 0) {
		n = pread(fd, text + have, TEXT_MAX - 1u - have, (off_t)have);
		have += n > 0 ? (size_t)n : 0;
	}
	text[have] = '\0';
	refused = reverse_path_in(text);
	free(text);
	return refused;
}
