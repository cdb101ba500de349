/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/cache/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	return 0;
}

/* Returns a copy of the descriptor, because the library closes the original together with its
 * object. */
static int keep_descriptor(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static int keep_map(const struct bpf_object *object, const char *name)
{
	const struct bpf_map *m = bpf_object__find_map_by_name(object, name);

	return m == NULL ? -1 : keep_descriptor(bpf_map__fd(m));
}

/* Loads one of the two programs, and only the memory that it uses. */
static bool choose_program(struct bpf_object *object, bool commands)
{
	struct bpf_program *other = bpf_object__find_program_by_name(object, commands ? "once_begin" : "once_match");
	static const char *const of_commands[] = { "leases", "templates" };

	if (other == NULL || bpf_program__set_autoload(other, false) != 0)
		return false;
	for (size_t i = 0; !commands && i < 2; i++) {
		struct bpf_map *m = bpf_object__find_map_by_name(object, of_commands[i]);

		if (m == NULL || bpf_map__set_autocreate(m, false) != 0)
			return false;
	}
	return true;
}

static int take_maps(struct bpf_object *object, bool commands, struct cache *ret)
{
	const struct bpf_program *program =
		bpf_object__find_program_by_name(object, commands ? "once_match" : "once_begin");

	if (program == NULL)
		return -ENOENT;
	ret->program = keep_descriptor(bpf_program__fd(program));
	ret->handshakes = keep_map(object, "handshakes");
	if (commands) {
		ret->leases = keep_map(object, "leases");
		ret->templates = keep_map(object, "templates");
	}
	return ret->program < 0 || ret->handshakes < 0 || (commands && (ret->leases < 0 || ret->templates < 0))
		       ? -ENOENT
		       : 0;
}

static bool read_info(int fd, struct bpf_map_info *ret)
{
	uint32_t n = sizeof(*ret);

	*ret = (struct bpf_map_info){ 0 };
	return bpf_obj_get_info_by_fd(fd, ret, &n) == 0;
}

/* Lets the program use the existing memory of this id, if that has the map's name and size. */
static bool use_again(struct bpf_map *map, uint32_t id)
{
	int fd = id != 0 ? bpf_map_get_fd_by_id(id) : -1;
	struct bpf_map_info is;
	bool fits = fd >= 0 && read_info(fd, &is) && is.type == (uint32_t)bpf_map__type(map) &&
		    is.key_size == bpf_map__key_size(map) && is.value_size == bpf_map__value_size(map) &&
		    is.max_entries == bpf_map__max_entries(map) && is.map_flags == bpf_map__map_flags(map) &&
		    strcmp(is.name, bpf_map__name(map)) == 0 && bpf_map__reuse_fd(map, fd) == 0;

	if (fd >= 0)
		close(fd);
	return fits;
}

static void use_memory(struct bpf_object *object, const struct cache_memory *m)
{
	struct bpf_map *leases = bpf_object__find_map_by_name(object, "leases");
	struct bpf_map *templates = bpf_object__find_map_by_name(object, "templates");

	/* leases refer to templates by number, so both are used again or neither */
	if (leases != NULL && templates != NULL && use_again(templates, m->templates))
		use_again(leases, m->leases);
}

static struct cache_memory memory_of(const struct cache *c)
{
	struct bpf_map_info leases, templates;

	if (!read_info(c->leases, &leases) || !read_info(c->templates, &templates))
		return (struct cache_memory){ 0 };
	return (struct cache_memory){ leases.id, templates.id };
}

int cache_load(const char *path, struct cache_memory *memory, struct cache *ret, struct err *err)
{
	struct bpf_object *object;
	int r;

	*ret = (struct cache){ -1, -1, -1, -1 };
	libbpf_set_print(say_nothing);
	object = bpf_object__open_file(path, NULL);
	if (object == NULL)
		return err_set(err, -errno, "open %s", path);
	if (memory != NULL)
		use_memory(object, memory);
	r = choose_program(object, memory != NULL) ? bpf_object__load(object) : -ENOENT;
	if (r == 0)
		r = take_maps(object, memory != NULL, ret);
	bpf_object__close(object);
	if (r == 0 && memory != NULL)
		*memory = memory_of(ret);
	if (r == 0)
		return 0;
	cache_close(ret);
	return err_set(err, r, "load %s into the kernel", path);
}

void cache_close(struct cache *c)
{
	int *all[] = { &c->program, &c->leases, &c->templates, &c->handshakes };

	for (unsigned i = 0; i < 4; i++) {
		if (*all[i] >= 0)
			close(*all[i]);
		*all[i] = -1;
	}
}

static void *map_memory(int fd, size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

struct once_lease *cache_leases(const struct cache *c)
{
	return map_memory(c->leases, ONCE_LEASES * sizeof(struct once_lease));
}

struct once_template *cache_templates(const struct cache *c)
{
	return map_memory(c->templates, ONCE_TEMPLATES * sizeof(struct once_template));
}

struct once_handshakes *cache_handshakes(const struct cache *c)
{
	return map_memory(c->handshakes, sizeof(struct once_handshakes));
}
