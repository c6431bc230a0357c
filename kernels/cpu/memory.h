/* A Python object for the output of a step: a read-only buffer of floats with memory from a pool. A state takes up to a
 * few megabytes and each token releases one, so allocating fresh pages each time would cost more than the step. */
#ifndef RADIO_MEMORY_H
#define RADIO_MEMORY_H

#include <Python.h>

extern PyType_Spec memory_spec;

/* Return a new object of `type`, made from memory_spec, or NULL with an exception set if out of memory. */
PyObject *memory_new(PyTypeObject *type, size_t floats);
/* Return the floats of `memory`. Write them only before other code can see the object. */
float *memory_floats(PyObject *memory);

#endif
