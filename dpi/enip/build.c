/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/enip/build.h"

#include "appliance/wire/vocabulary.h"

#define ATTRIBUTES ((uint32_t)1 << ENIP_ATTRIBUTE_BITS)

uint32_t cip_code(uint16_t class, uint8_t service)
{
	return service < ENIP_CLASS_SERVICES ? service : ENIP_OF_CLASS(class, service);
}

struct operation *build_add(struct build *b, uint32_t code)
{
	struct operation *o;

	if (b->p->n == OPERATIONS_MAX) {
		b->crowded = true;
		return NULL;
	}
	o = &b->p->operations[b->p->n++];
	*o = (struct operation){ .service = code,
				 .targets = { b->way.far ? ENIP_ROUTE_FAR : b->way.route },
				 .broadcast = b->way.far ? 1 : 0,
				 .group = b->group,
				 .space = SPACE_NONE };
	/* The effect of a service without a name is not known, so its addresses are not limited by
	 * its path. */
	if (function_by_code(&vocabulary_enip, code) == NULL) {
		o->place_unknown = true;
		o->values.form = VALUES_UNKNOWN;
	}
	return o;
}

void build_place(struct operation *o, const struct enip_object *object, uint32_t first, uint32_t last)
{
	uint64_t class = (uint64_t)object->class << (ENIP_INSTANCE_BITS + ENIP_ATTRIBUTE_BITS);
	uint64_t instance = (uint64_t)object->instance << ENIP_ATTRIBUTE_BITS;

	o->space = ENIP_OBJECTS;
	if (!object->has_instance) {
		o->first = class;
		o->count = (uint64_t)1 << (ENIP_INSTANCE_BITS + ENIP_ATTRIBUTE_BITS);
	} else if (last >= ATTRIBUTES) {
		/* beyond the range of the number: the whole object counts */
		o->first = class | instance;
		o->count = ATTRIBUTES;
	} else {
		o->first = class | instance | first;
		o->count = last - first + 1u;
	}
}

void build_place_tag(struct operation *o, const struct enip_path *path)
{
	o->space = ENIP_TAGS;
	o->first = path->tag;
	o->count = 1;
	o->spelling = path->whole.p;
	o->n_spelling = (uint16_t)path->whole.left;
}
