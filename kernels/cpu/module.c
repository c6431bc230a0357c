/* The decode engine as a Python module. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "model.h"

typedef struct {
    PyTypeObject *memory, *model;
} Types;

/* ---- model ---- */

typedef struct {
    PyObject_HEAD
    struct model model;
    const struct path *path;
    struct scratch *spare; /* scratch of the last call, for reuse */
    Py_buffer *views;
    Py_ssize_t count;
} Model;

static const struct path *find_path(const char *name) {
    for (int index = 0; paths[index]; index++)
        if (!strcmp(paths[index]->name, name) && paths[index]->supported()) return paths[index];
    PyErr_Format(PyExc_ValueError, "this processor does not support the path '%s'", name);
    return NULL;
}

static int model_view_tensors(Model *self, PyObject *tensors) {
    Py_ssize_t count = PySequence_Size(tensors);
    if (count < 0) return -1;
    self->views = PyMem_Calloc((size_t)count + 1, sizeof *self->views);
    if (!self->views) return PyErr_NoMemory(), -1;
    for (; self->count < count; self->count++) {
        PyObject *tensor = PySequence_GetItem(tensors, self->count);
        if (!tensor) return -1;
        int failed = PyObject_GetBuffer(tensor, &self->views[self->count], PyBUF_C_CONTIGUOUS);
        Py_DECREF(tensor);
        if (failed) return -1;
        if ((uintptr_t)self->views[self->count].buf % sizeof(float)) {
            PyBuffer_Release(&self->views[self->count]);
            return PyErr_Format(PyExc_ValueError, "tensor %zd is not aligned to 4 bytes", self->count), -1;
        }
    }
    return 0;
}

/* Parse `sizes`: layers, width, hidden width, vocabulary, and the sizes of the architecture. */
static int parse_spec(struct spec *spec, const char *architecture, PyObject *sizes) {
    int kind = 0;
    while (kind < ARCHITECTURES && strcmp(architecture_names[kind], architecture)) kind++;
    if (kind == ARCHITECTURES)
        return PyErr_Format(PyExc_ValueError, "unknown architecture '%s'; use rwkv6, rwkv7 or rwkv6-experts", architecture), -1;
    *spec = (struct spec){.architecture = (enum architecture)kind};
    int *const fixed[] = {&spec->layers, &spec->width, &spec->hidden, &spec->vocabulary};
    enum { FIXED = sizeof fixed / sizeof *fixed };
    Py_ssize_t count = PyTuple_Size(sizes), expected = FIXED + architecture_sizes[kind];
    if (count != expected) return PyErr_Format(PyExc_ValueError, "got %zd sizes, expected %zd", count, expected), -1;
    for (Py_ssize_t index = 0; index < count; index++) {
        long size = PyLong_AsLong(PyTuple_GetItem(sizes, index));
        if (size == -1 && PyErr_Occurred()) return -1;
        int *target = index < FIXED ? fixed[index] : &spec->sizes[index - FIXED];
        *target = size < 0 || size > LARGEST ? 0 : (int)size; /* model_open rejects 0 as out of range */
    }
    return 0;
}

static PyObject *model_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
    static char *names[] = {"architecture", "sizes", "weight_format", "tensors", "path", NULL};
    struct spec spec;
    const char *architecture, *format_name, *path_name;
    PyObject *sizes, *tensors;
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "sO!sOs", names, &architecture, &PyTuple_Type, &sizes,
                                     &format_name, &tensors, &path_name) ||
        parse_spec(&spec, architecture, sizes) < 0)
        return NULL;
    static const char *formats[] = {"fp32", "bf16", "int8"};
    int format = 0;
    while (format < 3 && strcmp(formats[format], format_name)) format++;
    if (format == 3)
        return PyErr_Format(PyExc_ValueError, "unknown weight format '%s'; use fp32, bf16 or int8", format_name);
    const struct path *path = find_path(path_name);
    if (!path) return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    Model *self = (Model *)allocate(type, 0); /* zeroed */
    if (!self) return NULL;
    self->path = path;
    if (model_view_tensors(self, tensors) < 0) {
        Py_DECREF(self);
        return NULL;
    }
    struct span *spans = PyMem_Calloc((size_t)self->count + 1, sizeof *spans);
    for (Py_ssize_t index = 0; spans && index < self->count; index++)
        spans[index] = (struct span){self->views[index].buf, (size_t)self->views[index].len};
    char message[200];
    const char *error = "out of memory";
    if (spans)
        error = model_open(&self->model, &spec, (enum weight_format)format, spans, (size_t)self->count, message);
    PyMem_Free(spans);
    if (!error) return (PyObject *)self;
    Py_DECREF(self);
    return PyErr_Format(PyExc_ValueError, "%s", error);
}

static void model_dealloc(PyObject *object) {
    Model *self = (Model *)object;
    PyTypeObject *type = Py_TYPE(object);
    model_close(&self->model);
    scratch_close(self->spare);
    for (Py_ssize_t index = 0; index < self->count; index++) PyBuffer_Release(&self->views[index]);
    PyMem_Free(self->views);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

/* Each call has its own scratch memory, since the GIL is released during a step. */
static struct scratch *scratch_acquire(Model *self, int streams) {
    struct scratch *scratch = self->spare;
    if (scratch && scratch_streams(scratch) == streams) {
        self->spare = NULL;
        return scratch;
    }
    scratch = scratch_open(&self->model.spec, streams);
    if (!scratch) PyErr_NoMemory();
    return scratch;
}

static void scratch_release(Model *self, struct scratch *scratch) {
    scratch_close(self->spare);
    self->spare = scratch;
}

/* Convert `sequence` to C integers and check their range. Return NULL with an exception set on failure. */
static int32_t *parse_rows(const Model *self, PyObject *sequence, Py_ssize_t *count) {
    *count = PySequence_Size(sequence);
    if (*count < 0) return NULL;
    int32_t *rows = PyMem_Malloc((size_t)(*count + 1) * sizeof *rows);
    if (!rows) return (int32_t *)PyErr_NoMemory();
    for (Py_ssize_t index = 0; index < *count; index++) {
        PyObject *item = PySequence_GetItem(sequence, index);
        long row = item ? PyLong_AsLong(item) : -1;
        Py_XDECREF(item);
        if (row == -1 && PyErr_Occurred()) goto failed;
        if (row < 0 || row >= self->model.spec.vocabulary) {
            PyErr_Format(PyExc_ValueError, "row %ld is out of range; the model has rows 0 to %d", row,
                         self->model.spec.vocabulary - 1);
            goto failed;
        }
        rows[index] = (int32_t)row;
    }
    return rows;
failed:
    PyMem_Free(rows);
    return NULL;
}

static int state_view(const Model *self, PyObject *state, Py_buffer *view) {
    if (PyObject_GetBuffer(state, view, PyBUF_C_CONTIGUOUS) < 0) return -1;
    size_t expected = state_floats(&self->model.spec) * sizeof(float);
    if ((size_t)view->len == expected && (uintptr_t)view->buf % sizeof(float) == 0) return 0;
    PyErr_Format(PyExc_ValueError, "a state of this model has %zu bytes, not %zd", expected, view->len);
    PyBuffer_Release(view);
    return -1;
}

static PyObject *model_step(PyObject *object, PyObject *arguments) {
    Model *self = (Model *)object;
    Types *types = PyType_GetModuleState(Py_TYPE(object));
    PyObject *sequence, *state_object, *result = NULL, *logits = NULL, *state = NULL;
    if (!PyArg_ParseTuple(arguments, "OO", &sequence, &state_object)) return NULL;
    Py_ssize_t count;
    int32_t *rows = parse_rows(self, sequence, &count);
    if (!rows) return NULL;
    Py_buffer view;
    if (state_view(self, state_object, &view) < 0) {
        PyMem_Free(rows);
        return NULL;
    }
    struct scratch *scratch = NULL;
    if (count < 1) {
        PyErr_SetString(PyExc_ValueError, "a step needs at least one token");
    } else if ((logits = memory_new(types->memory, logits_floats(&self->model.spec))) &&
               (state = memory_new(types->memory, state_floats(&self->model.spec))) &&
               (scratch = scratch_acquire(self, 1))) {
        const float *before = view.buf;
        float *after = memory_floats(state), *out = memory_floats(logits);
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t index = 0; index < count; index++) {
            self->path->step(&self->model, scratch, 1, rows + index, &before, &after, index == count - 1 ? out : NULL);
            before = after;
        }
        Py_END_ALLOW_THREADS
        scratch_release(self, scratch);
        result = PyTuple_Pack(2, logits, state);
    }
    Py_XDECREF(logits);
    Py_XDECREF(state);
    PyBuffer_Release(&view);
    PyMem_Free(rows);
    return result;
}

/* The resources of a batch until it is done. */
struct batch {
    Py_ssize_t streams, viewed;
    int32_t *rows;
    Py_buffer *views;
    const float **before;
    float **after;
    PyObject *logits, *states;
    struct scratch *scratch;
};

static int batch_open(Model *self, struct batch *batch, PyObject *rows, PyObject *states) {
    Types *types = PyType_GetModuleState(Py_TYPE((PyObject *)self));
    batch->rows = parse_rows(self, rows, &batch->streams);
    if (!batch->rows) return -1;
    Py_ssize_t streams = PySequence_Size(states);
    if (streams < 0) return -1;
    if (streams != batch->streams || streams < 1 || streams > LARGEST / KINDS) {
        PyErr_Format(PyExc_ValueError, "a batch needs a state for each token; got %zd tokens and %zd states",
                     batch->streams, streams);
        return -1;
    }
    size_t count = (size_t)streams;
    batch->views = PyMem_Calloc(count, sizeof *batch->views);
    batch->before = PyMem_Calloc(count, sizeof *batch->before);
    batch->after = PyMem_Calloc(count, sizeof *batch->after);
    if (!batch->views || !batch->before || !batch->after) return PyErr_NoMemory(), -1;
    batch->logits = memory_new(types->memory, count * logits_floats(&self->model.spec));
    batch->states = PyList_New(0);
    batch->scratch = scratch_acquire(self, (int)streams);
    if (!batch->logits || !batch->states || !batch->scratch) return -1;
    for (Py_ssize_t b = 0; b < streams; b++) {
        PyObject *state = PySequence_GetItem(states, b);
        int failed = !state || state_view(self, state, &batch->views[b]) < 0;
        Py_XDECREF(state);
        if (failed) return -1;
        batch->viewed++;
        batch->before[b] = batch->views[b].buf;
        PyObject *after = memory_new(types->memory, state_floats(&self->model.spec));
        if (!after) return -1;
        batch->after[b] = memory_floats(after);
        failed = PyList_Append(batch->states, after) < 0;
        Py_DECREF(after);
        if (failed) return -1;
    }
    return 0;
}

static void batch_close(Model *self, struct batch *batch) {
    if (batch->scratch) scratch_release(self, batch->scratch);
    for (Py_ssize_t b = 0; b < batch->viewed; b++) PyBuffer_Release(&batch->views[b]);
    Py_XDECREF(batch->logits);
    Py_XDECREF(batch->states);
    PyMem_Free(batch->views);
    PyMem_Free((void *)batch->before);
    PyMem_Free((void *)batch->after);
    PyMem_Free(batch->rows);
}

static PyObject *model_step_batch(PyObject *object, PyObject *arguments) {
    Model *self = (Model *)object;
    PyObject *rows, *states, *result = NULL;
    if (!PyArg_ParseTuple(arguments, "OO", &rows, &states)) return NULL;
    struct batch batch = {0};
    if (batch_open(self, &batch, rows, states) == 0) {
        Py_BEGIN_ALLOW_THREADS
        self->path->step(&self->model, batch.scratch, (int)batch.streams, batch.rows, batch.before, batch.after,
                         memory_floats(batch.logits));
        Py_END_ALLOW_THREADS
        result = PyTuple_Pack(2, batch.logits, batch.states);
    }
    batch_close(self, &batch);
    return result;
}

static PyMethodDef model_methods[] = {
    {"step", model_step, METH_VARARGS, "step(rows, state) -> (logits, state): feed one or more rows."},
    {"step_batch", model_step_batch, METH_VARARGS,
     "step_batch(rows, states) -> (logits, states): feed one row to each stream."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot model_slots[] = {
    {Py_tp_doc, "Model(architecture, sizes, weight_format, tensors, path): a model that steps over the given tensors."},
    {Py_tp_new, model_new},
    {Py_tp_dealloc, model_dealloc},
    {Py_tp_methods, model_methods},
    {0, NULL},
};
static PyType_Spec model_spec = {
    "radio.model._native.Model", sizeof(Model), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, model_slots,
};

/* ---- module ---- */

static PyObject *module_paths(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
    PyObject *names = PyList_New(0);
    for (int index = 0; names && paths[index]; index++) {
        if (!paths[index]->supported()) continue;
        PyObject *name = PyUnicode_FromString(paths[index]->name);
        if (!name || PyList_Append(names, name) < 0) Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyObject *module_read(PyObject *Py_UNUSED(module), PyObject *arguments) {
    const char *name;
    Py_buffer view;
    if (!PyArg_ParseTuple(arguments, "y*s", &view, &name)) return NULL;
    const struct path *path = find_path(name);
    uint64_t total = 0;
    if (path) {
        Py_BEGIN_ALLOW_THREADS
        total = path->read(view.buf, (size_t)view.len);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&view);
    return path ? PyLong_FromUnsignedLongLong(total) : NULL;
}

static PyMethodDef module_methods[] = {
    {"paths", module_paths, METH_NOARGS, "paths(): code paths that this processor supports, fastest first."},
    {"read", module_read, METH_VARARGS, "read(buffer, path): read all of the buffer, to measure memory bandwidth."},
    {NULL, NULL, 0, NULL},
};

enum { INTERFACE = 3 }; /* increment when the arguments of Model change */

static int module_exec(PyObject *module) {
    if (PyModule_AddIntConstant(module, "interface", INTERFACE) < 0) return -1;
    Types *types = PyModule_GetState(module);
    types->memory = (PyTypeObject *)PyType_FromModuleAndSpec(module, &memory_spec, NULL);
    types->model = (PyTypeObject *)PyType_FromModuleAndSpec(module, &model_spec, NULL);
    if (!types->memory || !types->model) return -1;
    return PyModule_AddType(module, types->model) < 0 ? -1 : PyModule_AddType(module, types->memory);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    Types *types = PyModule_GetState(module);
    Py_VISIT(types->memory);
    Py_VISIT(types->model);
    return 0;
}

static int module_clear(PyObject *module) {
    Types *types = PyModule_GetState(module);
    Py_CLEAR(types->memory);
    Py_CLEAR(types->model);
    return 0;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};
static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_native",
    .m_doc = "RWKV decoding in C, see kernels/cpu.",
    .m_size = sizeof(Types),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
