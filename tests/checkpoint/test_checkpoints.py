"""What is saved comes back bit for bit, and what cannot be trusted is passed over or refused with its reason."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections import namedtuple
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from framework.checkpoint import Checkpoints, CheckpointWarning
from framework.core.errors import RunError

REPOSITORY = Path(__file__).parents[2]
Pair = namedtuple("Pair", ["first", "second"])


def small(value: float = 1.0) -> dict:
    return {
        "params": {"dense": {"kernel": jnp.full((2, 3), value, jnp.float32), "bias": jnp.zeros(3)}},
        "step": jnp.int32(7),
    }


def varied() -> dict:
    params = {"dense": {"kernel": jnp.linspace(-1, 1, 6).reshape(2, 3)}, "scale": jnp.array([1.1, -0.0], jnp.bfloat16)}
    return {
        "params": params,
        "opt_state": optax.adam(1e-3).init(params),
        "pair": Pair(jnp.int32(-5), None),
        "rng": jnp.array([1, 2**32 - 1], jnp.uint32),
        "scalar": jnp.float32(0.1),
        "half": jnp.array([65504, 6e-8], jnp.float16),
        "flag": jnp.array([True, False]),
        "odd": jnp.array([jnp.nan, jnp.inf, -jnp.inf, 1e-45], jnp.float32),
        "empty": jnp.zeros((0, 4), jnp.bfloat16),
        "nothing": {},
        "none": None,
        "key": jax.random.key(3),
    }


def bits(tree: object) -> list[tuple]:
    raw = [
        jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
        for leaf in jax.tree.leaves(tree)
    ]
    return [(str(leaf.dtype), leaf.shape, np.asarray(leaf).tobytes()) for leaf in raw]


def abstract(state: object) -> object:
    return jax.eval_shape(lambda: state)


@pytest.mark.parametrize("asynchronous", [True, False])
def test_every_dtype_and_structure_comes_back_bit_for_bit(tmp_path: Path, asynchronous: bool) -> None:
    state = varied()
    with Checkpoints(tmp_path, keep=1, asynchronous=asynchronous) as checkpoints:
        checkpoints.save(3, state, {"best": float("inf"), "window": [0.1, 1e-45]})
    restored, progress = Checkpoints(tmp_path, keep=1).restore(None, abstract(state))
    assert jax.tree.structure(restored) == jax.tree.structure(state)
    assert bits(restored) == bits(state)
    assert progress == {"best": float("inf"), "window": [0.1, 1e-45]}
    assert restored["key"].dtype == state["key"].dtype


def test_a_state_may_be_donated_while_it_is_still_being_written(tmp_path: Path) -> None:
    state = {"w": jnp.arange(1000.0)}
    bump = jax.jit(lambda state: {"w": state["w"] + 1}, donate_argnums=0)
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(1, state, {})
        for _ in range(3):
            state = bump(state)
        restored, _ = checkpoints.restore(1, abstract(state))
    assert np.array_equal(restored["w"], np.arange(1000.0))


def test_a_restored_state_lies_where_like_says(tmp_path: Path) -> None:
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("data",))
    sharding = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(1, {"w": jnp.arange(4.0)}, {})
        like = {"w": jax.ShapeDtypeStruct((4,), jnp.float32, sharding=sharding)}
        restored, _ = checkpoints.restore(1, like)
    assert restored["w"].sharding == sharding
    assert np.array_equal(restored["w"], np.arange(4.0))


def test_keep_prunes_the_oldest_but_neither_the_best_nor_the_newest(tmp_path: Path) -> None:
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        for step in (10, 20, 30, 40, 50):
            checkpoints.save(step, small(step), {"step": step})
            if step == 20:
                assert checkpoints.mark_best(20, 0.5)
        checkpoints.wait()
        assert steps_on_disk(tmp_path) == [20, 40, 50]
        assert (checkpoints.latest(), checkpoints.best()) == (50, 20)
        checkpoints.mark_best(50, 0.4)
        assert (checkpoints.best(), steps_on_disk(tmp_path)) == (50, [40, 50])
        restored, progress = checkpoints.restore(40, abstract(small()))
    assert progress == {"step": 40}
    assert restored["params"]["dense"]["kernel"][0, 0] == 40


def steps_on_disk(folder: Path) -> list[int]:
    return sorted(int(entry.name) for entry in folder.iterdir() if entry.is_dir())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_value_that_is_not_finite_is_never_the_best(tmp_path: Path, value: float) -> None:
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        checkpoints.save(1, small(), {})
        assert not checkpoints.mark_best(1, value)
        assert checkpoints.best() is None


def test_a_step_without_a_checkpoint_is_never_the_best(tmp_path: Path) -> None:
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        checkpoints.save(1, small(), {})
        checkpoints.mark_best(2, 0.1)
        assert checkpoints.best() is None


def test_saving_a_step_again_replaces_it(tmp_path: Path) -> None:
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        checkpoints.save(1, small(1), {"finished": False})
        checkpoints.save(1, small(2), {"finished": True})
        restored, progress = checkpoints.restore(None, abstract(small()))
    assert progress == {"finished": True}
    assert restored["params"]["dense"]["kernel"][0, 0] == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]


def test_an_empty_folder_has_no_latest_and_nothing_to_restore(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "none", keep=1)
    assert checkpoints.latest() is None
    assert checkpoints.best() is None
    with pytest.raises(RunError, match=r"none: there is no checkpoint\n"):
        checkpoints.restore(None, abstract(small()))
    assert not (tmp_path / "none").exists()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of steps 1 and 2."""
    folder = tmp_path_factory.mktemp("two")
    with Checkpoints(folder, keep=2) as checkpoints:
        checkpoints.save(1, small(1), {"at": 1})
        checkpoints.save(2, small(2), {"at": 2})
    return folder


def files_of(folder: Path, step: int) -> list[Path]:
    return sorted(path for path in (folder / str(step)).rglob("*") if path.is_file())


def test_a_flipped_bit_in_any_file_falls_back_to_the_step_before(two: Path) -> None:
    files = files_of(two, 2)
    assert {"manifest.json", "progress.json", "_METADATA", "manifest.ocdbt"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        for offset in {0, len(content) // 2, len(content) - 1}:
            path.write_bytes(content[:offset] + bytes([content[offset] ^ 1]) + content[offset + 1 :])
            with pytest.warns(
                CheckpointWarning, match=r"/2 is damaged and passed over: .*changed since it was written"
            ):
                restored, progress = Checkpoints(two, keep=2).restore(None, abstract(small()))
            assert progress == {"at": 1}
            assert restored["params"]["dense"]["kernel"][0, 0] == 1
        path.write_bytes(content)
    assert Checkpoints(two, keep=2).latest() == 2


def test_a_missing_or_cut_file_falls_back_to_the_step_before(two: Path) -> None:
    for path in files_of(two, 2):
        content = path.read_bytes()
        path.write_bytes(content[:-1])
        with pytest.warns(
            CheckpointWarning, match=r"has \d+ bytes instead of \d+|no longer a manifest|SHA-256 differs"
        ):
            assert Checkpoints(two, keep=2).latest() == 1
        path.unlink()
        with pytest.warns(CheckpointWarning, match=r"cannot be read: No such file|the save was never finished"):
            assert Checkpoints(two, keep=2).latest() == 1
        path.write_bytes(content)


def test_a_damage_is_told_once(two: Path) -> None:
    path = two / "2" / "manifest.json"
    content = path.read_bytes()
    path.unlink()
    checkpoints = Checkpoints(two, keep=2)
    with pytest.warns(CheckpointWarning, match="manifest.json is missing") as told:
        assert checkpoints.latest() == 1
        checkpoints.restore(None, abstract(small()))
    path.write_bytes(content)
    assert len(told) == 1


def test_asking_for_a_damaged_or_unknown_step_names_a_sound_one(two: Path) -> None:
    path = two / "2" / "progress.json"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"2", b"3"))
    with pytest.warns(CheckpointWarning), pytest.raises(RunError) as told:
        Checkpoints(two, keep=2).restore(2, abstract(small()))
    path.write_bytes(content)
    assert str(told.value) == (
        f"{two}: no undamaged checkpoint of step 2\n"
        "  step 2: progress.json has changed since it was written (its SHA-256 differs)\n"
        "  expected:  one of the steps 1\n"
        "  fix:       take step 1"
    )
    with pytest.raises(RunError, match=r"no undamaged checkpoint of step 5\n  expected:  one of the steps 1, 2\n"):
        Checkpoints(two, keep=2).restore(5, abstract(small()))


def test_a_damaged_checkpoint_does_not_count_as_one_to_keep(tmp_path: Path) -> None:
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        for step in (1, 2, 3):
            checkpoints.save(step, small(step), {})
    (tmp_path / "3" / "manifest.json").unlink()
    with Checkpoints(tmp_path, keep=2) as checkpoints:
        with pytest.warns(CheckpointWarning, match="the save was never finished"):
            checkpoints.restore(None, abstract(small()))
        checkpoints.save(4, small(4), {})
        checkpoints.wait()
        assert steps_on_disk(tmp_path) == [2, 4]


def test_another_structure_or_shape_names_the_first_differing_arrays(two: Path) -> None:
    like = {
        "params": {"dense": {"kernel": jnp.zeros((2, 4)), "bias": jnp.zeros(3, jnp.bfloat16)}, "more": jnp.zeros(1)},
    }
    with pytest.raises(RunError) as told:
        Checkpoints(two, keep=2).restore(None, like)
    assert str(told.value) == (
        f"{two / '2'}: does not hold the arrays of this network and optimizer\n"
        "  params.more: float32[1] is not in the checkpoint\n"
        "  step: int32[] is only in the checkpoint\n"
        "  params.dense.bias: float32[3] in the checkpoint, bfloat16[3] in the network\n"
        "  params.dense.kernel: float32[2,3] in the checkpoint, float32[2,4] in the network\n"
        "  expected:  the checkpoint of a run with the same network and optimizer\n"
        "  fix:       take the recipe that made it (config.yaml in its run), or another run.dir=PATH"
    )


def test_two_leaves_of_one_path_are_refused(tmp_path: Path) -> None:
    with Checkpoints(tmp_path, keep=1) as checkpoints, pytest.raises(ValueError, match="the same dotted path"):
        checkpoints.save(1, {"a": {"b": jnp.zeros(1)}, "a.b": jnp.ones(1)}, {})


def test_nothing_is_unpickled(two: Path) -> None:
    done = python(
        """
        import os, pathlib, pickle
        import jax.numpy as jnp
        from framework.checkpoint import Checkpoints

        def refuse(*arguments, **options):
            raise SystemExit("something was unpickled")

        pickle.loads = pickle.load = pickle.Unpickler = refuse
        like = {"params": {"dense": {"kernel": jnp.zeros((2, 3)), "bias": jnp.zeros(3)}}, "step": jnp.int32(0)}
        state, progress = Checkpoints(pathlib.Path(os.environ["FOLDER"]), keep=2).restore(None, like)
        print(progress["at"], float(state["params"]["dense"]["kernel"][0, 0]))
    """,
        FOLDER=str(two),
    )
    assert done.stdout == "2 2.0\n", done.stderr


def python(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "JAX_PLATFORMS": "cpu"} | environment,
    )


KILLED_AT = """
    import os, pathlib, signal, threading
    import jax.numpy as jnp
    from framework.checkpoint import Checkpoints, checkpoints as room, folders
    folder, moment = pathlib.Path(os.environ["FOLDER"]), os.environ["MOMENT"]
    state = {"w": jnp.full((3,), 1.0)}
    saves = Checkpoints(folder, keep=1, asynchronous=False)
    saves.save(1, state, {"at": 1})
    owner, name = {
        "arrays": (room, "write_arrays"),
        "publish": (folders, "publish"),
        "rmtree": (folders.shutil, "rmtree"),
        "replace": (pathlib.Path, "rename"),
    }[moment]
    original = getattr(owner, name)
    calls = []
    def in_the_middle():
        while not any(path.is_file() for path in (folder / "2.writing").rglob("*")):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    def fatal(*arguments, **options):
        calls.append(1)
        if moment == "arrays":
            threading.Thread(target=in_the_middle).start()
            return original(*arguments, **options)
        if len(calls) == 2 or moment != "replace":
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments, **options)
    setattr(owner, name, fatal)
    saves.save(1 if moment == "replace" else 2, {"w": jnp.full((3,), 2.0)}, {"at": 2})
"""


@pytest.mark.parametrize(
    ("moment", "survivor"),
    [("arrays", 1), ("publish", 1), ("replace", 1), ("rmtree", 2)],
)
def test_killed_at_any_moment_of_a_save_one_whole_checkpoint_is_left(
    tmp_path: Path, moment: str, survivor: int
) -> None:
    done = python(KILLED_AT, FOLDER=str(tmp_path), MOMENT=moment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    like = abstract({"w": jnp.zeros(3)})
    restored, progress = Checkpoints(tmp_path, keep=1).restore(None, like)
    assert progress == {"at": survivor}
    assert restored["w"][0] == survivor
    with Checkpoints(tmp_path, keep=1) as checkpoints:
        checkpoints.save(3, {"w": jnp.full((3,), 3.0)}, {"at": 3})
    assert [entry.name for entry in tmp_path.iterdir()] == ["3"], "leftovers of the killed process are cleared away"


FULL_DISK = """
    import os, pathlib, resource, signal
    import jax.numpy as jnp
    import numpy as np
    from framework.checkpoint import Checkpoints
    from framework.core.errors import RunError
    folder = pathlib.Path(os.environ["FOLDER"])
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    saves = Checkpoints(folder, keep=2)
    saves.save(1, {"w": jnp.zeros(8)}, {})
    saves.wait()
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, resource.RLIM_INFINITY))
    large = {"w": jnp.asarray(np.random.default_rng(0).random(200_000))}
    for step, next_call in ((2, saves.wait), (3, lambda: saves.save(4, large, {}))):
        saves.save(step, large, {})
        try:
            next_call()
        except RunError as error:
            print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print("latest", saves.latest(), sorted(entry.name for entry in folder.iterdir()))
    saves.close()
"""


def test_a_full_disk_is_told_at_the_next_save_or_wait_and_the_older_checkpoint_stays(tmp_path: Path) -> None:
    done = python(FULL_DISK, FOLDER=str(tmp_path))
    advice = (
        "  expected:  room on the disk and the right to write there\n"
        "  fix:       free some space or mend the rights, then type the same command again; "
        "or choose another run.dir=PATH\n"
    )
    assert done.stdout == (
        f"{tmp_path}/2: could not be written: File too large\n{advice}"
        f"{tmp_path}/3: could not be written: File too large\n{advice}"
        "latest 1 ['1']\n"
    ), done.stderr
    assert done.stderr == ""


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("a file where the folder should be")
    checkpoints = Checkpoints(tmp_path / "checkpoints", keep=1)
    checkpoints.save(1, small(), {})
    with pytest.raises(RunError, match=r"checkpoints: could not be written: .*exists"):
        checkpoints.wait()
    checkpoints.close()


def test_a_failed_save_does_not_hide_the_error_that_ended_the_run(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("")
    with (
        pytest.warns(CheckpointWarning, match="could not be written"),
        pytest.raises(KeyError, match="the first error"),
        Checkpoints(tmp_path / "checkpoints", keep=1) as checkpoints,
    ):
        checkpoints.save(1, small(), {})
        raise KeyError("the first error")


def test_the_manifest_lists_every_array_by_its_dotted_path(two: Path) -> None:
    leaves = json.loads((two / "1" / "manifest.json").read_text())["leaves"]
    assert leaves == {
        "params.dense.bias": {"shape": [3], "dtype": "float32"},
        "params.dense.kernel": {"shape": [2, 3], "dtype": "float32"},
        "step": {"shape": [], "dtype": "int32"},
    }
