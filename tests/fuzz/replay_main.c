/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target on files, in any build: on every file of every named folder. Each file is in a
 * heap copy of exactly its size, so that the sanitizers notice when one byte too many is read.
 * Exits with 1 when there was no file.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *p;
	size_t n;

	if (f == NULL || fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
		if (f != NULL)
			fclose(f);
		return 0;
	}
	n = (size_t)st.st_size;
	p = malloc(n ? n : 1);
	if (p == NULL || fread(p, 1, n, f) != n) {
		fprintf(stderr, "%s: cannot be read\n", path);
		exit(1);
	}
	fclose(f);
	LLVMFuzzerTestOneInput(p, n);
	free(p);
	return 1;
}

int main(int argc, char **argv)
{
	unsigned long n = 0;

	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *e;
		char path[4096];

		if (d == NULL) {
			n += replay_file(argv[i]);
			continue;
		}
		while ((e = readdir(d)) != NULL) {
			snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
			n += replay_file(path);
		}
		closedir(d);
	}
	printf("%s: %lu inputs replayed\n", argv[0], n);
	return n == 0;
}
