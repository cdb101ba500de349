/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/cache/load.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

/* A copy of the descriptor: the library closes its own with its object. */
static int keep(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int take(struct bpf_object *object, struct cache *ret)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(object, "once_match");
	const struct bpf_map *leases = bpf_object__find_map_by_name(object, "leases");
	const struct bpf_map *templates = bpf_object__find_map_by_name(object, "templates");

	if (program == NULL || leases == NULL || templates == NULL)
		return -ENOENT;
	ret->program = keep(bpf_program__fd(program));
	ret->leases = keep(bpf_map__fd(leases));
	ret->templates = keep(bpf_map__fd(templates));
	return ret->program < 0 || ret->leases < 0 || ret->templates < 0 ? -errno : 0;
}

int cache_load(const char *path, struct cache *ret, struct err *err)
{
	struct bpf_object *object;
	int r;

	*ret = (struct cache){ -1, -1, -1 };
	libbpf_set_print(say_nothing);
	object = bpf_object__open_file(path, NULL);
	if (object == NULL)
		return err_set(err, -errno, "open %s", path);
	r = bpf_object__load(object);
	if (r == 0)
		r = take(object, ret);
	bpf_object__close(object);
	if (r == 0)
		return 0;
	cache_close(ret);
	return err_set(err, r, "load %s into the kernel", path);
}

void cache_close(struct cache *c)
{
	int *all[] = { &c->program, &c->leases, &c->templates };

	for (unsigned i = 0; i < 3; i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}

static void *map(int fd, size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct once_lease *cache_leases(const struct cache *c)
{
	return map(c->leases, ONCE_LEASES * sizeof(struct once_lease));
}

struct once_template *cache_templates(const struct cache *c)
{
	return map(c->templates, ONCE_TEMPLATES * sizeof(struct once_template));
}
