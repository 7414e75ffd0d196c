"""Writes what happens, as it happens: each call is one short transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from effauto.errors import StoreError
from effauto.recipe import Recipe
from effauto.resources import Figures
from effauto.store import models
from effauto.store.entries import Artefact, MethodVersion, Purpose, Situation, State, storable
from effauto.store.identity import content_key, remember_method, remember_situation, versions
from effauto.store.process import Process, this_process
from effauto.store.session import Database

Row = TypeVar("Row", models.Study, models.Trial)


@dataclass(frozen=True)
class Store:
    """The user's results, which are written, and those that came with effauto, which never are."""

    own: Database
    shipped: Database | None = None

    def begin_study(self, request: Mapping[str, Any], situation: Situation, seed: int) -> int:
        """Note what the user asked for (plain JSON) and return the study's number."""
        with self.own.writing() as session:
            study = models.Study(
                **remember_situation(session, situation),
                **_signs_of_life(),
                created_at=datetime.now(UTC),
                request=dict(request),
                request_key=content_key(request),
                seed=seed,
                state="running",
                effauto_version=versions()["effauto"],
            )
            session.add(study)
            session.flush()
            return study.id

    def resume_study(self, request: Mapping[str, Any]) -> int | None:
        """Go on with the last study of this request that did not finish and that nobody works on.

        Returns its number, or None if there is none. Its running trials become interrupted.
        """
        with self.own.writing() as session:
            study = _last_unfinished(session, content_key(request))
            if study is None or (study.state == "running" and _alive(study)):
                return None
            _interrupt(session, models.Trial, models.Trial.study_id == study.id)
            study.state = "running"
            for name, value in _signs_of_life().items():
                setattr(study, name, value)
            return study.id

    def finish_study(self, study: int, state: State, seconds: float) -> None:
        """Note how a study ended, and the wall time it took."""
        with self.own.writing() as session:
            row = _existing(session, models.Study, study)
            row.state, row.seconds = state, seconds

    def begin_trial(
        self,
        recipe: Recipe,
        situation: Situation,
        *,
        purpose: Purpose,
        seed: int,
        study: int | None = None,
        fidelity: float = 1.0,
        foretold: Figures | None = None,
        methods: Mapping[str, MethodVersion] | None = None,
    ) -> int:
        """Note that a recipe starts to run, and what it should cost; return the trial's number.

        ``fidelity`` is the share of the full training; ``methods`` tells which code runs.
        """
        with self.own.writing() as session:
            trial = models.Trial(
                **remember_situation(session, situation),
                **_signs_of_life(),
                study_id=study,
                recipe=recipe.to_json(),
                recipe_key=recipe.key,
                fidelity=fidelity,
                seed=seed,
                purpose=purpose,
                state="running",
                started_at=datetime.now(UTC),
                versions=versions(),
                methods=[
                    models.TrialMethod(
                        method_id=remember_method(
                            session, step.method, (methods or {}).get(step.method)
                        ),
                        setting=step.setting,
                    )
                    for step in recipe.steps
                ],
                measurements=_rows("foretold", foretold or {}),
            )
            session.add(trial)
            session.flush()
            return trial.id

    def beat(self, trial: int) -> None:
        """Give a sign of life, for those who watch from another host."""
        with self.own.writing() as session:
            _existing(session, models.Trial, trial).heartbeat_at = datetime.now(UTC)

    def finish_trial(
        self, trial: int, measured: Figures, artefacts: Iterable[Artefact] = ()
    ) -> None:
        """Note what a trial measured, all at once: a finished trial has all its figures."""
        with self.own.writing() as session:
            row = _end(session, trial, "finished")
            row.measurements += _rows("measured", measured)
            row.artefacts += [models.ArtefactRow(**asdict(artefact)) for artefact in artefacts]

    def fail_trial(
        self, trial: int, error: str, state: State = "failed", measured: Figures | None = None
    ) -> None:
        """Note why a trial failed or was interrupted, and what was measured until then."""
        with self.own.writing() as session:
            row = _end(session, trial, state)
            row.error = storable(error)
            row.measurements += _rows("measured", measured or {})

    def add_measured(self, trial: int, figures: Figures) -> None:
        """Add to a finished trial what another trial told of it, in the place of what it told."""
        with self.own.writing() as session:
            row = _existing(session, models.Trial, trial)
            for seen in [s for s in row.measurements if s.kind == "measured"]:
                if seen.resource in figures:
                    session.delete(seen)
            session.flush()
            session.expire(row, ["measurements"])
            row.measurements += _rows("measured", figures)

    def reap(self) -> int:
        """Mark what dead processes left running as interrupted; return how many trials."""
        with self.own.reading() as session:
            trials = _abandoned(session, models.Trial)
            studies = _abandoned(session, models.Study)
        if trials or studies:
            with self.own.writing() as session:
                _interrupt(session, models.Trial, models.Trial.id.in_(trials))
                _interrupt(session, models.Study, models.Study.id.in_(studies))
        return len(trials)

    def close(self) -> None:
        for database in (self.own, self.shipped):
            if database is not None:
                database.close()


def _signs_of_life() -> dict[str, Any]:
    return asdict(this_process()) | {"heartbeat_at": datetime.now(UTC)}


def _alive(row: models.OwnedByProcess) -> bool:
    return Process(row.process_id, row.process_started, row.host).alive(row.heartbeat_at)


def _abandoned(session: Session, kind: type[models.OwnedByProcess]) -> list[int]:
    running = session.scalars(select(kind).where(kind.state == "running"))
    return [row.id for row in running if not _alive(row)]


def _last_unfinished(session: Session, request_key: str) -> models.Study | None:
    return session.scalar(
        select(models.Study)
        .where(models.Study.request_key == request_key)
        .where(models.Study.state.in_(("running", "interrupted")))
        .order_by(models.Study.id.desc())
        .limit(1)
        .with_for_update()
    )


def _interrupt(session: Session, kind: type[models.OwnedByProcess], which: Any) -> None:
    session.execute(update(kind).where(which, kind.state == "running").values(state="interrupted"))


def _existing(session: Session, kind: type[Row], number: int) -> Row:
    row = session.get(kind, number, with_for_update=True)
    if row is None:
        raise StoreError(f"There is no {kind.__tablename__} {number} in the results database.")
    return row


def _end(session: Session, trial: int, state: State) -> models.Trial:
    row = _existing(session, models.Trial, trial)
    if row.state not in ("running", "interrupted"):  # a live process may have been believed dead
        raise StoreError(f"Trial {trial} is {row.state} already, and cannot become {state}.")
    row.state, row.finished_at = state, datetime.now(UTC)
    row.seconds = (row.finished_at - row.started_at).total_seconds()
    return row


def _rows(kind: str, figures: Figures) -> list[models.Measurement]:
    return [
        models.Measurement(resource=resource, kind=kind, **figure.to_json())
        for resource, figure in figures.items()
    ]
